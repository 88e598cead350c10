package io.holdfast.broker.queue;

import io.holdfast.storage.journal.Journal;
import java.io.IOException;

/** Told, from the sync thread, what became of a publish that had to wait for the disk. */
public interface PublishListener extends Journal.DurabilityListener {
  /** The messages hold: answer OK. Must not block. */
  @Override
  void onDurable();

  /** They may not hold: answer with this error. Must not block. */
  void onFailed(String error);

  @Override
  default void onFailed(IOException e) {
    onFailed(e.getMessage());
  }
}
