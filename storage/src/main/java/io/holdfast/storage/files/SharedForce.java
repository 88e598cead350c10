package io.holdfast.storage.files;

import io.holdfast.storage.files.SyncThread.Syncable;
import java.util.Collection;

/**
 * Makes what many logs wait for durable by one force, and forces none of them: {@link SyncThread}
 * does that later, in its passes. Called by the thread that forces.
 */
public interface SharedForce {
  /** None: each log is forced. */
  SharedForce NONE =
      new SharedForce() {
        @Override
        public Collection<Syncable> force(Collection<Syncable> urgent) {
          return urgent;
        }

        @Override
        public boolean isPassDue() {
          return false;
        }

        @Override
        public boolean hasCopies() {
          return false;
        }

        @Override
        public void passBegins(boolean isLast) {}

        @Override
        public void passEnds() {}
      };

  /**
   * Makes durable what logs have written, and tells who waits for it; {@link SyncThread#written} is
   * called for those before.
   *
   * @return those that it left as they were, to be forced one by one
   */
  Collection<Syncable> force(Collection<Syncable> urgent);

  /** Whether so much waits for a pass that the next one should be now. */
  boolean isPassDue();

  /** Whether somebody was answered whose log is not forced yet. Any thread, without a lock. */
  boolean hasCopies();

  /**
   * All logs that were written are about to be forced.
   *
   * @param isLast whether nothing follows: what is not needed after it should go, however little
   */
  void passBegins(boolean isLast);

  /** All that was written before {@link #passBegins} is on disk. */
  void passEnds();
}
