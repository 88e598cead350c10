package io.holdfast.broker.queue;

import io.holdfast.storage.journal.Journal;
import java.io.IOException;

/**
 * Told what became of a publish that had to wait, for the disk or for other brokers: from the
 * thread that found out.
 */
public interface PublishListener extends Journal.DurabilityListener {
  /** The messages hold: answer OK. Must not block. */
  @Override
  void onDurable();

  /** They may not hold: answer with this error. Must not block. */
  void onFailed(String error);

  /**
   * They never will hold, as the broker does not lead the topic that others share: answer with this
   * error, or publish them elsewhere. Must not block.
   */
  default void onRefused(String error) {
    onFailed(error);
  }

  /** Nobody knows here whether they hold or will: answer with this error. Must not block. */
  default void onUnknown(String error) {
    onFailed(error);
  }

  /** What a shared log is to know the publish by; null for whatever the broker calls it. */
  default PublishIdentity identity() {
    return null;
  }

  @Override
  default void onFailed(IOException e) {
    onFailed(e.getMessage());
  }
}
