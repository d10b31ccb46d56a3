"""Flags for stores that Beam does not have; Beam carries them to the workers of a job."""

import argparse

from apache_beam.options.pipeline_options import PipelineOptions


class StoreOptions(PipelineOptions):
    """Who pays for requests, where it is not the owner of a bucket."""

    @classmethod
    def _add_argparse_args(cls, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--billing_project", help="project that pays for requests to buckets in Cloud Storage")
        parser.add_argument("--s3_request_payer", action="store_true", help="pay for requests to buckets in S3")
