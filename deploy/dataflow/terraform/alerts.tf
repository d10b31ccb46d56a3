# Who is told when the job fails, when too many photos are rejected, and when it has not run for eight days.

locals {
  job      = "autochrome-colorize"
  channels = concat(var.notification_channels, google_monitoring_notification_channel.email[*].id)

  # As PromQL names them: https://cloud.google.com/monitoring/promql/promql-mapping
  of_job  = "monitored_resource=\"dataflow_job\", job_name=\"${local.job}\""
  counter = "dataflow_googleapis_com:job_user_counter"
  failed  = "dataflow_googleapis_com:job_is_failed{${local.of_job}}"

  # Outcomes and reasons, as docs/outcomes.md explains them.
  rejected = "unreadable|missing|linked_folder|camera_raw|decoders_disagree|too_large|timed_out|crashed|out_of_memory|unwritable|failed|bad_hint|disallowed|throttled"
  outcomes = "written|kept|copied|skipped|${local.rejected}"
}

resource "google_monitoring_notification_channel" "email" {
  count        = var.alert_email == "" ? 0 : 1
  display_name = "Autochrome"
  type         = "email"
  labels       = { email_address = var.alert_email }
  depends_on   = [google_project_service.used]
}

resource "google_monitoring_alert_policy" "failed" {
  display_name          = "Autochrome: the job failed"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels
  depends_on            = [google_project_service.used]

  conditions {
    display_name = "A job has failed"

    condition_threshold {
      filter          = "metric.type = \"dataflow.googleapis.com/job/is_failed\" AND resource.type = \"dataflow_job\" AND resource.label.job_name = \"${local.job}\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"

      aggregations {
        alignment_period   = "60s"
        per_series_aligner = "ALIGN_MAX"
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "The last lines of the job's log say why. Launch it again when that is solved: it makes what is missing. deploy/dataflow.md has a table of causes."
  }
}

resource "google_monitoring_alert_policy" "launch_failed" {
  display_name          = "Autochrome: the launch failed"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels
  depends_on            = [google_project_service.used]

  conditions {
    display_name = "Cloud Scheduler could not start the template"

    condition_matched_log {
      filter = "resource.type = \"cloud_scheduler_job\" AND resource.labels.job_id = \"${local.job}\" AND severity >= ERROR"
    }
  }

  # A policy that reads logs must limit how often it tells.
  alert_strategy {
    auto_close = "86400s"

    notification_rate_limit {
      period = "3600s"
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "A job of that name may still run, or the account of the scheduler lost a right. The entry in the log has the answer of Dataflow."
  }
}

resource "google_monitoring_alert_policy" "rejected" {
  display_name          = "Autochrome: many photos are rejected"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.channels
  depends_on            = [google_project_service.used]

  conditions {
    display_name = "Share of rejected photos in a job"

    condition_prometheus_query_language {
      query               = "sum by (job_id) (max_over_time(${local.counter}{${local.of_job}, metric_name=~\"${local.rejected}\"}[10m])) > ${var.rejected_share} * sum by (job_id) (max_over_time(${local.counter}{${local.of_job}, metric_name=~\"${local.outcomes}\"}[10m]))"
      duration            = "1800s"
      evaluation_interval = "300s"
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "`rejected.jsonl` in the output folder names each photo and says why; docs/outcomes.md explains the reasons. The job goes on."
  }
}

# Policies on metrics look back 25 hours, those in PromQL up to two years.
resource "google_monitoring_alert_policy" "silent" {
  display_name          = "Autochrome: no run in ${var.silent_days} days"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.channels
  depends_on            = [google_project_service.used]

  conditions {
    display_name = "No job has reported"

    condition_prometheus_query_language {
      query               = "absent_over_time(${local.failed}[${var.silent_days}d])"
      duration            = "0s"
      evaluation_interval = "3600s"
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "Cloud Scheduler may be paused. Look at its job ${local.job}."
  }
}
