package io.holdfast.broker.queue;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * What happened in a run, for people. Off while all goes well: a run that failed is repeated with
 * it, the same seed takes the same steps.
 */
final class SimulationTrace {
  private static final int LAST_LINES = 50;
  private static final int MAX_LINES = 160;

  private record Line(String subject, String text) {}

  private final boolean on;
  private final List<Line> lines = new ArrayList<>();
  long step;

  SimulationTrace(boolean on) {
    this.on = on;
  }

  boolean isOn() {
    return on;
  }

  /**
   * Notes an event.
   *
   * @param subject what it is about: a {@link TopicModel}, a {@link ChannelModel}, or "" for all
   */
  void note(Object subject, long nowMs, String format, Object... args) {
    if (on) {
      String about = subject.toString();
      String text = String.format(Locale.ROOT, format, args);
      lines.add(
          new Line(about, String.format(Locale.ROOT, "%6d @%d %s %s", step, nowMs, about, text)));
    }
  }

  /** All of it. */
  List<String> all() {
    return lines.stream().map(Line::text).toList();
  }

  /** The last lines that matter for a failure, and all about the messages it names. */
  String about(SimulationFailure failure) {
    Set<String> shown = new LinkedHashSet<>();
    List<Line> related =
        lines.stream().filter(line -> isRelated(line.subject, failure.subject())).toList();
    for (Line line : related) {
      for (long ordinal : failure.ordinals()) {
        if (line.text.matches(".*[^@\\d]" + ordinal + "(\\D.*|$)")) {
          shown.add(line.text);
        }
      }
    }
    List<String> text = new ArrayList<>(shown);
    if (text.size() > MAX_LINES) {
      text = new ArrayList<>(text.subList(text.size() - MAX_LINES, text.size()));
    }
    text.add("   ... the last steps there:");
    for (Line line : related.subList(Math.max(0, related.size() - LAST_LINES), related.size())) {
      text.add(line.text);
    }
    return String.join("\n", text);
  }

  private static boolean isRelated(String subject, String failed) {
    return subject.isEmpty()
        || failed.isEmpty()
        || subject.equals(failed)
        || failed.startsWith(subject + "/")
        || subject.startsWith(failed + "/");
  }
}
