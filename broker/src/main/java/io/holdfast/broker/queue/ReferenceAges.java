package io.holdfast.broker.queue;

import org.roaringbitmap.longlong.Roaring64Bitmap;

/**
 * The ordinals of the references in a queue that is not in their order, so that the oldest can be
 * dropped without a look at all: a dropped one stays in its place, is known to be gone, and is
 * passed over when it is met. The channel's lock guards it.
 */
final class ReferenceAges {
  /** Fewer that are gone may stay in any case. */
  private static final int MIN_GONE = 64;

  private final Roaring64Bitmap here = new Roaring64Bitmap();
  private final Roaring64Bitmap gone = new Roaring64Bitmap();
  private int goneCount;

  /** One is in the queue, or comes to it; none with its ordinal is gone, see {@link #isGone}. */
  void add(long ordinal) {
    here.addLong(ordinal);
  }

  /** One leaves the queue that is not gone. */
  void remove(long ordinal) {
    here.removeLong(ordinal);
  }

  /** The oldest that is here; Long.MAX_VALUE for none. */
  long oldest() {
    return here.isEmpty() ? Long.MAX_VALUE : here.first();
  }

  /** The oldest, of which there is one, is gone from now on. */
  void dropOldest() {
    long ordinal = here.first();
    here.removeLong(ordinal);
    gone.addLong(ordinal);
    goneCount++;
  }

  boolean isGone(long ordinal) {
    return goneCount > 0 && gone.contains(ordinal);
  }

  /** Whether one is gone; its place is given up then. */
  boolean pass(long ordinal) {
    boolean isGone = isGone(ordinal);
    if (isGone) {
      gone.removeLong(ordinal);
      goneCount--;
    }
    return isGone;
  }

  /** How many are gone and have their places still. */
  int goneCount() {
    return goneCount;
  }

  /**
   * Whether so many are gone that their places are to be given up: more than are here, so that each
   * drop pays for one place.
   *
   * @param places of all, gone or not
   */
  boolean isMostlyGone(int places) {
    return goneCount > MIN_GONE && goneCount > places / 2;
  }
}
