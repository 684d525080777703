"""Read and embed the files of an index run on several machines, with Ray.

    ClusterRunner.start                 runner      starts Ray on this machine, or connects to a cluster
      ClusterReaders.read                 readers     batches of files to tasks on all machines, in order
        read_batch                          pictures.batch_reading   a task
        read_carefully                      careful_reading          a task whose process has crashed before
      ClusterEncoders.submit, result      encoders    batches of pixels to processes that have the model
        EncoderProcess                      encoder_process          one for each GPU, or one for each machine

The process of the run (the driver) scans, holds the lock of the root and writes to the catalogue, as a run on one
machine does. It gets results in the order of the files, so that the same batches are embedded and written. Pixels go
from readers to encoders directly. A process or a machine that ends costs what it was working on, which is done again.
"""

from indexer.cluster.runner import ClusterRunner, ClusterSettings

__all__ = ["ClusterRunner", "ClusterSettings"]
