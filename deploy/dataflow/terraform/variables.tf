variable "project" {
  description = "Project that everything runs in and is billed to."
  type        = string
}

variable "region" {
  description = "Region of the buckets and the workers. Moving data between regions costs time and money."
  type        = string
}

variable "input_bucket" {
  description = "Bucket of the scans. Only read."
  type        = string
}

variable "output_bucket" {
  description = "Bucket for the photos in colour and their records."
  type        = string
}

variable "model_bucket" {
  description = "Bucket of the SavedModel. Only read. Empty for the model that ships with Autochrome."
  type        = string
  default     = ""
}

variable "work_bucket" {
  description = "Bucket to create for templates, staging and temporary files."
  type        = string
}

variable "subnetwork" {
  description = "Subnetwork of the workers, with Private Google Access: regions/REGION/subnetworks/NAME."
  type        = string
}

variable "tag" {
  description = "Tag that was given to build.sh."
  type        = string
}

variable "input" {
  description = "Folder of the scans: gs://BUCKET/FOLDER."
  type        = string
}

variable "output" {
  description = "Folder for the photos in colour: gs://BUCKET/FOLDER."
  type        = string
}

variable "model" {
  description = "The SavedModel: gs://BUCKET/FOLDER/saved_model. Empty for the model that ships with Autochrome."
  type        = string
  default     = ""
}

variable "schedule" {
  description = "When to colorize new photos, in cron syntax and UTC."
  type        = string
  default     = "0 3 * * 0"
}

variable "max_workers" {
  description = "Largest number of workers. It limits the cost an hour and the load on the bucket."
  type        = number
  default     = 50
}

variable "alert_email" {
  description = "Address that alerts go to; empty for none."
  type        = string
  default     = ""
}

variable "notification_channels" {
  description = "Other channels that alerts go to: projects/PROJECT/notificationChannels/ID."
  type        = list(string)
  default     = []
}

variable "rejected_share" {
  description = "Share of rejected photos in a job that is alerted."
  type        = number
  default     = 0.05
}

variable "silent_days" {
  description = "Days without a job that are alerted; more than there are between two runs."
  type        = number
  default     = 8
}
