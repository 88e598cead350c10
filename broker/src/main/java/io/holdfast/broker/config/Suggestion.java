package io.holdfast.broker.config;

import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;

/** Finds the name a user most likely meant. */
public final class Suggestion {
  private static final int MAX_EDITS = 3;
  private static final int MAX_LENGTH = 100;

  private Suggestion() {}

  /**
   * Returns the accepted name closest to what was written, {@code -} and {@code _} being the same.
   *
   * @return a name at most three edits away, else empty
   */
  public static Optional<String> closest(String written, Collection<String> names) {
    String word = normal(written);
    if (word.length() > MAX_LENGTH) {
      return Optional.empty();
    }
    // Three edits turn one short word into any other.
    int limit = Math.min(MAX_EDITS, word.length() / 3);
    return names.stream()
        .filter(name -> edits(word, normal(name)) <= limit)
        .min(
            Comparator.<String>comparingInt(name -> edits(word, normal(name)))
                .thenComparing(Comparator.naturalOrder()));
  }

  private static String normal(String name) {
    return name.replace('_', '-');
  }

  /** Levenshtein distance, one row at a time. */
  private static int edits(String from, String to) {
    int[] row = new int[to.length() + 1];
    for (int j = 0; j < row.length; j++) {
      row[j] = j;
    }
    for (int i = 1; i <= from.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j < row.length; j++) {
        int replaced = diagonal + (from.charAt(i - 1) == to.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replaced, Math.min(row[j], row[j - 1]) + 1);
      }
    }
    return row[to.length()];
  }
}
