"""What a script with boto3 and threads does: ``python -m bench.boto3_copies ENDPOINT COPIES THREADS``."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import boto3
import botocore.config

from bench.object_list import SOURCE_BUCKET, TARGET_BUCKET, keys


def main() -> None:
    endpoint, copies, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="AKMAIN",
        aws_secret_access_key="SKMAIN",
        config=botocore.config.Config(s3={"addressing_style": "path"}, max_pool_connections=threads),
    )

    def copy(key: str) -> None:
        client.copy_object(Bucket=TARGET_BUCKET, Key=key, CopySource={"Bucket": SOURCE_BUCKET, "Key": key})

    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(copy, keys(copies)):
            pass


if __name__ == "__main__":
    main()
