package io.holdfast.broker.soak;

import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/** Counts of what happened, and what must not have happened. Thread-safe. */
final class SoakReport {
  /** What the ends by SIGKILL begin with. */
  static final String KILL = "SIGKILL";

  private final Map<String, LongAdder> counts = new ConcurrentHashMap<>();
  private final Map<String, Long> highest = new ConcurrentHashMap<>();
  private final Map<String, Map<String, String>> ids = new ConcurrentHashMap<>();
  private final Queue<String> violations = new ConcurrentLinkedQueue<>();
  private final AtomicInteger brokerLife = new AtomicInteger();
  private final List<String> ends = new CopyOnWriteArrayList<>();
  private volatile boolean stopping;

  void count(String what) {
    add(what, 1);
  }

  void add(String what, long n) {
    counts.computeIfAbsent(what, w -> new LongAdder()).add(n);
  }

  /**
   * Which message of that topic the id was first seen on, in the whole run: this one or another.
   */
  String idUsedFor(String topic, String id, String key) {
    String before = ids.computeIfAbsent(topic, t -> new ConcurrentHashMap<>()).putIfAbsent(id, key);
    return before == null ? key : before;
  }

  /** Keeps the highest value. */
  void max(String what, long value) {
    highest.merge(what, value, Math::max);
  }

  long get(String what) {
    LongAdder count = counts.get(what);
    return count == null ? 0 : count.sum();
  }

  /** Counts it as well, under its kind. */
  void violation(String kind, String detail) {
    count("VIOLATION " + kind);
    if (get("VIOLATION " + kind) <= 20) {
      violations.add(kind + ": " + detail);
      System.out.println("VIOLATION " + kind + ": " + detail);
    }
  }

  boolean isClean() {
    return violations.isEmpty();
  }

  String violations() {
    return String.join("\n", violations);
  }

  /** Which life of the broker this is; a connection lives in exactly one. */
  int brokerLife() {
    return brokerLife.get();
  }

  /** To be called before SIGTERM: the broker closes one connection after the other. */
  void brokerStops() {
    stopping = true;
  }

  /** Whether that life's connections were closed, or may be at any moment. */
  boolean isEnding(int life) {
    return stopping || life != brokerLife.get();
  }

  /** How the lives from that one on ended. */
  String ends(int fromLife) {
    return String.join(", ", ends.subList(Math.min(fromLife, ends.size()), ends.size()));
  }

  /** Ends by SIGKILL so far. */
  int kills() {
    return (int) ends.stream().filter(e -> e.startsWith(KILL)).count();
  }

  /**
   * To be called while no broker runs.
   *
   * @param how begins with {@link #KILL} if it was killed
   */
  void brokerDied(String how) {
    count("end: " + how);
    ends.add(how);
    brokerLife.incrementAndGet();
    stopping = false;
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    Map<String, Long> all = new TreeMap<>(highest);
    counts.forEach((what, count) -> all.put(what, count.sum()));
    all.forEach((what, n) -> text.append("  ").append(what).append(" = ").append(n).append('\n'));
    return text.toString();
  }
}
