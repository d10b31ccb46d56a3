output "worker" {
  description = "Account of the workers; needed to launch by hand."
  value       = google_service_account.worker.email
}

output "template" {
  description = "The template that the schedule launches."
  value       = local.launch.launchParameter.containerSpecGcsPath
}

output "launch" {
  description = "The request that the scheduler posts."
  value       = jsonencode(local.launch)
}
