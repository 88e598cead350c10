package io.holdfast.storage.files;

/** How the process before this one ended that wrote to the data directory. */
public enum LastStop {
  /** There was none, or everything had been forced. */
  CLEAN,
  /** The machine has been up since: nothing is lost, but not all is forced. */
  PROCESS_DIED,
  /** What was not forced can be lost. */
  MACHINE_STOPPED
}
