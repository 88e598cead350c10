package io.holdfast.tools.bench.peers;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * Medians as SVG: a panel for each reading, a bar for each broker, colours by promise. Stateless.
 */
final class PeersChart {
  private static final List<Metric> PANELS =
      List.of(
          Metric.PUBLISH,
          Metric.DRAIN,
          Metric.BOTH,
          Metric.WAITING,
          Metric.P99,
          Metric.WAITING_CPU);

  private static final int COLUMNS = 2;
  private static final int PANEL_WIDTH = 470;
  private static final int LABELS = 160;
  private static final int VALUES = 60;
  private static final int MARGIN = 14;
  private static final int HEAD = 78;
  private static final int TITLE = 26;
  private static final int ROW = 20;
  private static final int BAR = 13;
  private static final String INK = "#222222";
  private static final String FAINT = "#666666";

  private PeersChart() {}

  static String of(Map<String, String> facts, PeersResults results) {
    int panelHeight = TITLE + results.peers().size() * ROW + 16;
    int rows = (PANELS.size() + COLUMNS - 1) / COLUMNS;
    int width = COLUMNS * PANEL_WIDTH + 2 * MARGIN;
    int height = HEAD + rows * panelHeight + MARGIN;
    StringBuilder svg = new StringBuilder(16_384);
    svg.append(
        String.format(
            Locale.ROOT,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\""
                + " viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"12\">%n"
                + "<rect width=\"100%%\" height=\"100%%\" fill=\"#ffffff\"/>%n",
            width,
            height,
            width,
            height));
    text(svg, MARGIN, 24, "start", INK, 17, true, "Holdfast and other brokers");
    text(
        svg,
        MARGIN,
        43,
        "start",
        FAINT,
        12,
        false,
        String.join(
            ", ",
            "Medians",
            "bodies of " + Bodies.SIZE + " bytes",
            facts.getOrDefault("date", ""),
            facts.getOrDefault("cpu", ""),
            facts.getOrDefault("cores", "") + " cores"));
    int x = MARGIN;
    for (Promise promise : Promise.values()) {
      svg.append(
          String.format(
              Locale.ROOT,
              "<rect x=\"%d\" y=\"54\" width=\"12\" height=\"12\" fill=\"%s\"/>%n",
              x,
              colour(promise)));
      text(svg, x + 17, 64, "start", INK, 12, false, legend(promise));
      x += 40 + 6 * legend(promise).length();
    }
    for (int i = 0; i < PANELS.size(); i++) {
      panel(
          svg,
          results,
          PANELS.get(i),
          MARGIN + i % COLUMNS * PANEL_WIDTH,
          HEAD + i / COLUMNS * panelHeight);
    }
    return svg.append("</svg>\n").toString();
  }

  private static void panel(StringBuilder svg, PeersResults results, Metric metric, int x, int y) {
    Metric.Unit unit = metric.unit();
    String better = unit == Metric.Unit.RATE ? "" : " (less is better)";
    text(svg, x, y + 16, "start", INK, 13, true, metric.label() + ": " + unit.label() + better);
    double most =
        results.peers().stream()
            .map(peer -> results.median(peer, metric))
            .filter(OptionalDouble::isPresent)
            .mapToDouble(OptionalDouble::getAsDouble)
            .max()
            .orElse(1);
    int room = PANEL_WIDTH - LABELS - VALUES - MARGIN;
    int row = y + TITLE;
    for (Peer peer : results.peers()) {
      OptionalDouble value = results.median(peer, metric);
      int base = row + BAR - 2;
      text(svg, x + LABELS - 6, base, "end", INK, 12, peer.own(), peer.name().replace("`", ""));
      double length = value.isPresent() ? room * value.getAsDouble() / Math.max(most, 1e-9) : 0;
      svg.append(
          String.format(
              Locale.ROOT,
              "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\"%s/>%n",
              x + LABELS,
              row,
              Math.max(length, value.isPresent() ? 1 : 0),
              BAR,
              colour(peer.promise()),
              peer.own() ? "" : " fill-opacity=\"0.55\""));
      String shown =
          value.isPresent()
              ? Metric.shown(unit, value.getAsDouble())
                  + (results.isDisturbed(peer, metric) ? " *" : "")
              : "-";
      text(svg, x + LABELS + (int) length + 6, base, "start", INK, 12, peer.own(), shown);
      row += ROW;
    }
  }

  private static String legend(Promise promise) {
    return switch (promise) {
      case MEMORY -> "in memory only";
      case WRITTEN -> "written: survives kill -9";
      case FORCED -> "forced to disk before the OK";
      case REPLICATED -> "two of three servers have it";
    };
  }

  private static String colour(Promise promise) {
    return switch (promise) {
      case MEMORY -> "#8a8a8a";
      case WRITTEN -> "#2f6fb0";
      case FORCED -> "#2f7d5b";
      case REPLICATED -> "#9a5b2f";
    };
  }

  private static void text(
      StringBuilder svg,
      int x,
      int y,
      String anchor,
      String fill,
      int size,
      boolean bold,
      String text) {
    svg.append(
        String.format(
            Locale.ROOT,
            "<text x=\"%d\" y=\"%d\" text-anchor=\"%s\" fill=\"%s\" font-size=\"%d\"%s>%s</text>%n",
            x,
            y,
            anchor,
            fill,
            size,
            bold ? " font-weight=\"bold\"" : "",
            text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")));
  }
}
