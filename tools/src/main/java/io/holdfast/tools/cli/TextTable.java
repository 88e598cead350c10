package io.holdfast.tools.cli;

import java.io.PrintStream;
import java.util.List;

/** Columns that are as wide as what is in them. Stateless. */
public final class TextTable {
  private TextTable() {}

  /**
   * Prints it: the first and the last column to the left, the others to the right.
   *
   * @param cells the heads first; all rows have as many cells
   */
  public static void print(PrintStream out, List<String[]> cells) {
    int columns = cells.get(0).length;
    int[] widths = new int[columns];
    for (String[] row : cells) {
      for (int i = 0; i < columns; i++) {
        widths[i] = Math.max(widths[i], row[i].length());
      }
    }
    for (String[] row : cells) {
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < columns; i++) {
        String padding = " ".repeat(widths[i] - row[i].length());
        boolean left = i == 0 || i == columns - 1;
        line.append(i == 0 ? "" : "  ").append(left ? row[i] + padding : padding + row[i]);
      }
      out.println(line.toString().stripTrailing());
    }
  }
}
