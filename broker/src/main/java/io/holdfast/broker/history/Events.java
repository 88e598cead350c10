package io.holdfast.broker.history;

import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;

/** The last thousand events, in memory. Thread-safe. */
public final class Events {
  /** So many are kept. */
  public static final int KEPT = 1000;

  /** Of each part of an event: who is not known yet may send what he likes. */
  private static final int MAX_CHARS = 1000;

  /** Newest first; guarded by itself. */
  private final ArrayDeque<Event> events = new ArrayDeque<>(KEPT);

  /** Adds what somebody did. */
  public void did(
      String user,
      String remoteAddress,
      String action,
      String topic,
      String channel,
      String result,
      String message) {
    add(
        new Event(
            Instant.now().toString(),
            "audit",
            cut(user),
            remoteAddress,
            cut(action),
            cut(topic),
            cut(channel),
            result,
            cut(message)));
  }

  /**
   * Adds what the broker noticed.
   *
   * @param timeMs since 1970
   * @param level how bad it is
   */
  public void noticed(long timeMs, String level, String message) {
    String time = Instant.ofEpochMilli(timeMs).toString();
    String action = level.toLowerCase(Locale.ROOT);
    add(new Event(time, "broker", "", "", action, "", "", "", cut(message)));
  }

  private static String cut(String text) {
    return text.length() <= MAX_CHARS ? text : text.substring(0, MAX_CHARS);
  }

  private void add(Event event) {
    synchronized (events) {
      if (events.size() == KEPT) {
        events.removeLast();
      }
      events.addFirst(event);
    }
  }

  /** Returns the latest ones, newest first. */
  public List<Event> latest(int max) {
    synchronized (events) {
      List<Event> latest = new ArrayList<>(Math.min(max, events.size()));
      for (Iterator<Event> i = events.iterator(); i.hasNext() && latest.size() < max; ) {
        latest.add(i.next());
      }
      return latest;
    }
  }
}
