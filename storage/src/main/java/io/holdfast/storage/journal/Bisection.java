package io.holdfast.storage.journal;

import java.io.IOException;
import java.util.function.IntUnaryOperator;

/** Looks for a place in what is in order, where not every place can tell. Stateless. */
final class Bisection {
  /** None of them. */
  static final int NONE = -1;

  private Bisection() {}

  /** Whether a place is before what is looked for. */
  enum Answer {
    BEFORE,
    NOT_BEFORE,
    UNKNOWN;

    static Answer of(boolean isBefore) {
      return isBefore ? BEFORE : NOT_BEFORE;
    }
  }

  /** Asks one place. */
  interface Question {
    Answer at(int place) throws IOException;
  }

  /**
   * The last place before what is looked for. A place that cannot tell is passed over: the next one
   * is asked in its stead.
   *
   * @param from the first place, 0 or more
   * @param to behind the last one
   * @param atOrAfter the next place from a number on, negative when there is none
   * @return {@link #NONE} when all are behind, or cannot tell
   */
  static int lastBefore(int from, int to, IntUnaryOperator atOrAfter, Question question)
      throws IOException {
    int found = NONE;
    int low = from;
    int high = to;
    while (low < high) {
      int middle = (low + high) >>> 1;
      int place = atOrAfter.applyAsInt(middle);
      Answer answer = Answer.UNKNOWN;
      while (answer == Answer.UNKNOWN && place >= 0 && place < high) {
        answer = question.at(place);
        if (answer == Answer.UNKNOWN) {
          place = atOrAfter.applyAsInt(place + 1);
        }
      }
      if (answer == Answer.BEFORE) {
        found = place;
        low = place + 1;
      } else {
        high = middle;
      }
    }
    return found;
  }
}
