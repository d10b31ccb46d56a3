# The counters of the runs: photos by outcome, where the time goes, workers.

locals {
  widgets = [
    {
      title = "Photos by outcome"
      query = "sum by (metric_name) (max_over_time(${local.counter}{${local.of_job}, metric_name=~\"${local.outcomes}\"}[5m]))"
    },
    {
      title = "Rejected photos by reason"
      query = "sum by (metric_name) (max_over_time(${local.counter}{${local.of_job}, metric_name=~\"${local.rejected}\"}[5m]))"
    },
    {
      title = "Photos a second"
      query = "sum(deriv(${local.counter}{${local.of_job}, metric_name=~\"${local.outcomes}\"}[10m]))"
    },
    {
      title = "Mean time of each stage, in microseconds"
      query = "avg by (metric_name) (${local.counter}{${local.of_job}, metric_name=~\".*_microseconds_MEAN\"})"
    },
    {
      title = "vCPUs"
      query = "sum(dataflow_googleapis_com:job_current_num_vcpus{${local.of_job}})"
    },
    {
      title = "Failed jobs"
      query = "sum(max_over_time(${local.failed}[5m]))"
    },
  ]
}

resource "google_monitoring_dashboard" "colorize" {
  depends_on = [google_project_service.used]
  dashboard_json = jsonencode({
    displayName = "Autochrome"
    mosaicLayout = {
      columns = 12
      tiles = [
        for place, one in local.widgets : {
          xPos   = 6 * (place % 2)
          yPos   = 4 * floor(place / 2)
          width  = 6
          height = 4
          widget = {
            title = one.title
            xyChart = {
              dataSets = [{
                plotType        = "LINE"
                timeSeriesQuery = { prometheusQuery = one.query }
              }]
            }
          }
        }
      ]
    }
  })
}
