# Three accounts, none with more than its task needs; nobody has a key.
#
#   worker     launcher VM and workers: reads scans and model, writes colours, keeps its staging
#   scheduler  starts the template as the worker, and nothing else
#   builder    Cloud Build: pushes the image, writes the template

resource "google_service_account" "worker" {
  account_id   = "autochrome-worker"
  display_name = "Autochrome: Dataflow workers"
}

resource "google_service_account" "scheduler" {
  account_id   = "autochrome-scheduler"
  display_name = "Autochrome: launches the template"
}

resource "google_service_account" "builder" {
  account_id   = "autochrome-builder"
  display_name = "Autochrome: builds image and templates"
}

# Worker.

resource "google_project_iam_member" "worker" {
  project = var.project
  role    = "roles/dataflow.worker"
  member  = google_service_account.worker.member
}

resource "google_storage_bucket_iam_member" "worker_reads" {
  for_each = toset(compact([var.input_bucket, var.model_bucket]))
  bucket   = each.value
  role     = "roles/storage.objectViewer"
  member   = google_service_account.worker.member
}

# Objects appear whole under a temporary name and are renamed, which needs the right to delete.
resource "google_storage_bucket_iam_member" "worker_writes" {
  for_each = toset([var.output_bucket, google_storage_bucket.work.name])
  bucket   = each.value
  role     = "roles/storage.objectUser"
  member   = google_service_account.worker.member
}

# Beam asks for the staging bucket itself (storage.buckets.get) before it writes to it.
resource "google_storage_bucket_iam_member" "worker_looks_up" {
  bucket = google_storage_bucket.work.name
  role   = "roles/storage.legacyBucketReader"
  member = google_service_account.worker.member
}

resource "google_artifact_registry_repository_iam_member" "worker_pulls" {
  location   = google_artifact_registry_repository.images.location
  repository = google_artifact_registry_repository.images.name
  role       = "roles/artifactregistry.reader"
  member     = google_service_account.worker.member
}

# Scheduler.

resource "google_project_iam_custom_role" "launcher" {
  role_id     = "autochromeLauncher"
  title       = "Launches Dataflow templates"
  permissions = ["dataflow.jobs.create", "dataflow.jobs.get"]
}

resource "google_project_iam_member" "scheduler_launches" {
  project = var.project
  role    = google_project_iam_custom_role.launcher.id
  member  = google_service_account.scheduler.member
}

resource "google_service_account_iam_member" "scheduler_as_worker" {
  service_account_id = google_service_account.worker.name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.scheduler.member
}

resource "google_storage_bucket_iam_member" "scheduler_reads_templates" {
  bucket = google_storage_bucket.work.name
  role   = "roles/storage.objectViewer"
  member = google_service_account.scheduler.member

  condition {
    title      = "templates"
    expression = "resource.name.startsWith(\"projects/_/buckets/${google_storage_bucket.work.name}/objects/templates/\")"
  }
}

# Builder.

resource "google_artifact_registry_repository_iam_member" "builder_pushes" {
  location   = google_artifact_registry_repository.images.location
  repository = google_artifact_registry_repository.images.name
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.builder.member
}

resource "google_storage_bucket_iam_member" "builder_writes" {
  bucket = google_storage_bucket.work.name
  role   = "roles/storage.objectUser"
  member = google_service_account.builder.member
}

resource "google_project_iam_member" "builder_logs" {
  project = var.project
  role    = "roles/logging.logWriter"
  member  = google_service_account.builder.member
}
