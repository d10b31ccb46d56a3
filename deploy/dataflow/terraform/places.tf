resource "google_project_service" "used" {
  for_each = toset([
    "artifactregistry.googleapis.com",
    "cloudbuild.googleapis.com",
    "cloudscheduler.googleapis.com",
    "compute.googleapis.com",
    "dataflow.googleapis.com",
    "monitoring.googleapis.com",
    "storage.googleapis.com",
  ])
  service            = each.value
  disable_on_destroy = false
}

resource "google_artifact_registry_repository" "images" {
  location      = var.region
  repository_id = "autochrome"
  format        = "DOCKER"
  depends_on    = [google_project_service.used]

  # A tag keeps its digest for ever, so that going back to a tag goes back to the same image.
  docker_config {
    immutable_tags = true
  }
}

# Staging and temporary objects go after two weeks, templates stay.
resource "google_storage_bucket" "work" {
  name                        = var.work_bucket
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  soft_delete_policy {
    retention_duration_seconds = 0
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age            = 14
      matches_prefix = ["source/", "staging/", "tmp/"]
    }
  }
}
