variable "project" {
  description = "Project in which everything runs and is billed."
  type        = string
}

variable "region" {
  description = "Region of the buckets and the workers; data that crosses regions costs time and money."
  type        = string
}

variable "input_bucket" {
  description = "Bucket of the scans. Only read."
  type        = string
}

variable "output_bucket" {
  description = "Bucket of the photos in colour and of the records."
  type        = string
}

variable "model_bucket" {
  description = "Bucket of the SavedModel. Only read."
  type        = string
}

variable "work_bucket" {
  description = "Bucket to be made for templates, staging and what is temporary."
  type        = string
}

variable "subnetwork" {
  description = "Subnetwork of the workers, with Private Google Access: regions/REGION/subnetworks/NAME."
  type        = string
}

variable "tag" {
  description = "Tag that build.sh was given."
  type        = string
}

variable "input" {
  description = "Folder of the scans: gs://BUCKET/FOLDER."
  type        = string
}

variable "output" {
  description = "Folder of the photos in colour: gs://BUCKET/FOLDER."
  type        = string
}

variable "model" {
  description = "The SavedModel: gs://BUCKET/FOLDER/saved_model."
  type        = string
}

variable "schedule" {
  description = "When to colorize what is new, as cron writes it, in UTC."
  type        = string
  default     = "0 3 * * 0"
}

variable "max_workers" {
  description = "Most workers at a time: what bounds cost, and the load on the bucket."
  type        = number
  default     = 50
}
