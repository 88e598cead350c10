package io.holdfast.tools.bench.suite;

import java.util.List;
import java.util.Locale;

/**
 * Horizontal bars as SVG. On a ratio scale they begin at 1 and go right when better, left when
 * worse, by powers of two; on a plain scale they begin at 0. Stateless.
 */
final class BarChart {
  /**
   * @param group printed once above the bars of the same group
   * @param label left of the bar
   * @param value its length; NaN draws none
   * @param text right of it
   */
  record Bar(String group, String label, double value, String text) {}

  private static final int WIDTH = 860;
  private static final int LEFT = 250;
  private static final int RIGHT = 170;
  private static final int TOP = 64;
  private static final int ROW = 22;
  private static final int GAP = 8;
  private static final int MAX_POWER = 6;
  private static final String GOOD = "#2f7d5b";
  private static final String BAD = "#b5533c";
  private static final String PLAIN = "#3d6fa5";
  private static final String GRID = "#dddddd";

  private BarChart() {}

  /** Bars of how many times better, 1 is equal. */
  static String ratios(String title, String subtitle, List<Bar> bars) {
    int left = powers(bars, -1);
    int right = powers(bars, 1);
    StringBuilder svg = new StringBuilder(4096);
    int height = begin(svg, title, subtitle, bars);
    double unit = (WIDTH - LEFT - RIGHT) / (double) (left + right);
    double zero = LEFT + left * unit;
    for (int power = -left; power <= right; power++) {
      String label = power < 0 ? "1/" + (1 << -power) : (1 << power) + "x";
      tick(svg, zero + power * unit, height, label, power == 0);
    }
    int y = TOP;
    String group = "";
    for (Bar bar : bars) {
      y += bar.group().equals(group) ? 0 : GAP;
      double at = Double.isNaN(bar.value()) ? 0 : Math.log(bar.value()) / Math.log(2);
      double length = Math.max(-left, Math.min(right, at)) * unit;
      row(
          svg,
          bar,
          bar.group().equals(group),
          y,
          Math.min(zero, zero + length),
          Math.abs(length),
          length < 0 ? BAD : GOOD);
      group = bar.group();
      y += ROW;
    }
    return svg.append("</svg>\n").toString();
  }

  /** Bars of plain values, in the same unit. */
  static String values(String title, String subtitle, List<Bar> bars) {
    double most = bars.stream().mapToDouble(Bar::value).filter(v -> v > 0).max().orElse(1);
    StringBuilder svg = new StringBuilder(4096);
    int height = begin(svg, title, subtitle, bars);
    tick(svg, LEFT, height, "0", true);
    int y = TOP;
    String group = "";
    for (Bar bar : bars) {
      y += bar.group().equals(group) ? 0 : GAP;
      double length = Math.max(0, bar.value()) / most * (WIDTH - LEFT - RIGHT);
      row(svg, bar, bar.group().equals(group), y, LEFT, length, PLAIN);
      group = bar.group();
      y += ROW;
    }
    return svg.append("</svg>\n").toString();
  }

  /** How many powers of two to show on a side; at least one. */
  private static int powers(List<Bar> bars, int side) {
    double most =
        bars.stream()
            .mapToDouble(Bar::value)
            .filter(value -> value > 0)
            .map(value -> side * Math.log(value) / Math.log(2))
            .max()
            .orElse(0);
    return (int) Math.max(1, Math.min(MAX_POWER, Math.ceil(most - 1e-9)));
  }

  private static int begin(StringBuilder svg, String title, String subtitle, List<Bar> bars) {
    long groups = bars.stream().map(Bar::group).distinct().count();
    int height = TOP + bars.size() * ROW + (int) groups * GAP + 12;
    svg.append(
        String.format(
            Locale.ROOT,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
                + "viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"12\">%n"
                + "<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>%n"
                + "<text x=\"12\" y=\"22\" font-size=\"16\" fill=\"#222222\">%s</text>%n"
                + "<text x=\"12\" y=\"40\" fill=\"#666666\">%s</text>%n",
            WIDTH,
            height,
            WIDTH,
            height,
            escaped(title),
            escaped(subtitle)));
    return height;
  }

  private static void tick(StringBuilder svg, double x, int height, String label, boolean strong) {
    svg.append(
        String.format(
            Locale.ROOT,
            "<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\" stroke=\"%s\"/>%n"
                + "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\" fill=\"#666666\">%s</text>%n",
            x,
            TOP,
            x,
            height - 8,
            strong ? "#666666" : GRID,
            x,
            TOP - 6,
            escaped(label)));
  }

  private static void row(
      StringBuilder svg, Bar bar, boolean sameGroup, int y, double x, double width, String fill) {
    int base = y + 15;
    if (!sameGroup) {
      svg.append(
          String.format(
              Locale.ROOT,
              "<text x=\"12\" y=\"%d\" font-weight=\"bold\" fill=\"#222222\">%s</text>%n",
              base,
              escaped(bar.group())));
    }
    svg.append(
        String.format(
            Locale.ROOT,
            "<text x=\"%d\" y=\"%d\" text-anchor=\"end\" fill=\"#222222\">%s</text>%n"
                + "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>%n"
                + "<text x=\"%d\" y=\"%d\" fill=\"#222222\">%s</text>%n",
            LEFT - 8,
            base,
            escaped(bar.label()),
            x,
            y + 3,
            width,
            ROW - 6,
            fill,
            WIDTH - RIGHT + 10,
            base,
            escaped(bar.text())));
  }

  static String escaped(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;");
  }
}
