package io.holdfast.storage.raft;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a log has to hold: the entries that are certain, and what was done since, of which a power
 * cut leaves the first so many.
 */
final class RaftModel {
  /** Entries, from the first one needed on. */
  static final class Entries {
    private final TreeMap<Long, RaftEntry> byIndex = new TreeMap<>();
    private long first = 1;

    private Entries copy() {
      Entries copy = new Entries();
      copy.byIndex.putAll(byIndex);
      copy.first = first;
      return copy;
    }

    long first() {
      return first;
    }

    long last() {
      return byIndex.isEmpty() ? first - 1 : byIndex.lastKey();
    }

    long lastTerm() {
      return byIndex.isEmpty() ? 0 : byIndex.lastEntry().getValue().term();
    }

    private void put(RaftEntry entry) {
      cutFrom(entry.index());
      byIndex.put(entry.index(), entry);
    }

    private void cutFrom(long index) {
      byIndex.tailMap(index, true).clear();
    }

    private void first(long index) {
      byIndex.headMap(index, false).clear();
      first = index;
    }

    private void reset(long next) {
      byIndex.clear();
      first = next;
    }

    @Override
    public String toString() {
      StringBuilder text = new StringBuilder(first + " to " + last() + ":");
      for (Map.Entry<Long, RaftEntry> entry : byIndex.entrySet()) {
        text.append(' ').append(entry.getKey()).append('t').append(entry.getValue().term());
        text.append('/').append(entry.getValue().bytes().remaining());
      }
      return text.toString();
    }
  }

  private interface Step {
    void on(Entries entries);
  }

  private Entries certain = new Entries();
  private final List<Step> steps = new ArrayList<>();

  /** The entries when all that was done counts. */
  Entries now() {
    Entries all = certain.copy();
    steps.forEach(step -> step.on(all));
    return all;
  }

  boolean isCertain() {
    return steps.isEmpty();
  }

  void append(List<RaftEntry> entries) {
    for (RaftEntry entry : entries) {
      steps.add(all -> all.put(entry));
    }
  }

  void truncateSuffix(long lastKept) {
    steps.add(all -> all.cutFrom(lastKept + 1));
  }

  void truncatePrefix(long firstKept) {
    steps.add(all -> all.first(firstKept));
  }

  void reset(long next) {
    steps.add(all -> all.reset(next));
  }

  void forced() {
    certain = now();
    steps.clear();
  }

  /** Fails unless a log has exactly what was done. */
  void requireAll(RaftLog log) throws IOException {
    Entries expected = now();
    Entries found = read(log);
    if (!isSame(expected, found)) {
      throw new AssertionError("expected " + expected + ", found " + found);
    }
  }

  /** A model of what a power cut left; fails when it is none of what it can leave. */
  RaftModel afterPowerCut(RaftLog log) throws IOException {
    Entries found = read(log);
    Entries expected = certain.copy();
    boolean possible = isSame(expected, found);
    for (Step step : steps) {
      step.on(expected);
      possible |= isSame(expected, found);
    }
    if (!possible) {
      throw new AssertionError(
          "certain " + certain + ", then " + steps.size() + " to " + now() + ", found " + found);
    }
    RaftModel left = new RaftModel();
    left.certain = found;
    return left;
  }

  RaftModel copy() {
    RaftModel copy = new RaftModel();
    copy.certain = certain.copy();
    copy.steps.addAll(steps);
    return copy;
  }

  static Entries read(RaftLog log) throws IOException {
    Entries found = new Entries();
    found.first = log.firstIndex();
    for (long index = log.firstIndex(); index <= log.lastIndex(); index++) {
      RaftEntry entry = log.read(index);
      if (entry.term() != log.termAt(index)) {
        throw new AssertionError(entry + " and term " + log.termAt(index));
      }
      found.byIndex.put(index, entry);
    }
    boolean hasOthers =
        log.read(log.lastIndex() + 1) != null || log.read(log.firstIndex() - 1) != null;
    if (hasOthers || found.last() != log.lastIndex()) {
      throw new AssertionError("more than " + found + ", to " + log.lastIndex());
    }
    return found;
  }

  private static boolean isSame(Entries one, Entries other) {
    // Entries are compared with term and bytes.
    return one.first == other.first && one.byIndex.equals(other.byIndex);
  }

  /** Bytes that are different for different entries. */
  static ByteBuffer bytes(long index, long term, int length, boolean direct) {
    ByteBuffer bytes = direct ? ByteBuffer.allocateDirect(length) : ByteBuffer.allocate(length);
    for (int at = 0; at < length; at++) {
      bytes.put(at, (byte) (index * 31 + term * 7 + at));
    }
    return bytes;
  }
}
