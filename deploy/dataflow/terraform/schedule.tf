locals {
  parameters = {
    input  = var.input
    output = var.output
  }
  model = var.model == "" ? {} : { model = var.model }

  # The request that the scheduler posts. Dataflow refuses a second job of the same name while the first runs: the name is the lock
  # that keeps two runs out of one folder.
  launch = {
    launchParameter = {
      jobName              = "autochrome-colorize"
      containerSpecGcsPath = "gs://${var.work_bucket}/templates/colorize-${var.tag}.json"
      parameters           = merge(local.parameters, local.model)
      environment = {
        serviceAccountEmail = google_service_account.worker.email
        tempLocation        = "gs://${var.work_bucket}/tmp"
        stagingLocation     = "gs://${var.work_bucket}/staging"
        machineType         = "n2-standard-2"
        maxWorkers          = var.max_workers
        ipConfiguration     = "WORKER_IP_PRIVATE"
        subnetwork          = var.subnetwork
      }
    }
  }
}

resource "google_cloud_scheduler_job" "colorize" {
  name             = "autochrome-colorize"
  region           = var.region
  description      = "Colorizes new photos of the archive."
  schedule         = var.schedule
  time_zone        = "Etc/UTC"
  attempt_deadline = "180s"
  depends_on       = [google_project_service.used]

  retry_config {
    retry_count          = 3
    min_backoff_duration = "60s"
  }

  http_target {
    http_method = "POST"
    uri         = "https://dataflow.googleapis.com/v1b3/projects/${var.project}/locations/${var.region}/flexTemplates:launch"
    body        = base64encode(jsonencode(local.launch))
    headers     = { "Content-Type" = "application/json" }

    oauth_token {
      service_account_email = google_service_account.scheduler.email
      scope                 = "https://www.googleapis.com/auth/cloud-platform"
    }
  }
}
