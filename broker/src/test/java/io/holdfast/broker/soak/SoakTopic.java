package io.holdfast.broker.soak;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What was sent to a topic, as the publishers know it: each attempt to publish a message is a
 * message of its own, with a key of its own, so that a stored attempt without an OK never hides the
 * loss of the one that got its OK. Thread-safe; times are {@link System#nanoTime()}.
 */
final class SoakTopic {
  /** What a message takes in the journal beside its body: head, length, Chronicle's word. */
  private static final int OVERHEAD_BYTES = 52;

  private static final char TRY = '~';

  private final String name;
  private final Map<String, Published> published;

  /** Of {@link #published}, what some channel has not finished, as far as looked. */
  private final Map<String, Published> live = new ConcurrentHashMap<>();

  private final List<List<String>> batches = new ArrayList<>(); // guarded by itself

  /** Since when an answered pause holds messages back; 0 when it does not, or not for certain. */
  private volatile long pausedNs;

  /** An attempt to publish, from before anything of it was sent. */
  static final class Published {
    final long startNs = System.nanoTime();
    final int delayMs;
    final int bytes;
    volatile long okNs; // 0 while there was no OK
    private volatile boolean refused;

    Published(int delayMs, int bytes) {
      this.delayMs = delayMs;
      this.bytes = bytes;
    }

    boolean isOk() {
      return okNs != 0;
    }

    /** Whether the broker said that it has not taken it. */
    boolean isRefused() {
      return refused;
    }
  }

  SoakTopic(String name) {
    this.name = name;
    published = new ConcurrentHashMap<>();
  }

  /** A topic that another's messages are moved to. */
  SoakTopic(String name, SoakTopic source) {
    this.name = name;
    published = source.published;
  }

  String name() {
    return name;
  }

  /** The key of one attempt to publish a message; text stays text. */
  static String attempt(String message, int number, boolean text) {
    return message + TRY + number + (text ? "t" : "");
  }

  /** The message that a key is an attempt of. */
  static String messageOf(String key) {
    int at = key.indexOf(TRY);
    return at < 0 ? key : key.substring(0, at);
  }

  /** To be called before anything is sent. */
  void trying(String key, int delayMs, int bodyBytes) {
    Published attempt = new Published(delayMs, bodyBytes + OVERHEAD_BYTES);
    published.put(key, attempt);
    live.put(key, attempt);
  }

  void ok(String key) {
    published.get(key).okNs = System.nanoTime();
  }

  /** The broker refused it: it must never come. */
  void refused(String key) {
    published.get(key).refused = true;
  }

  /** These are published in one MPUB. */
  void batch(List<String> keys) {
    synchronized (batches) {
      batches.add(keys);
    }
  }

  /** Null when nobody published that. */
  Published get(String key) {
    return published.get(key);
  }

  Map<String, Published> published() {
    return published;
  }

  List<List<String>> batches() {
    synchronized (batches) {
      return List.copyOf(batches);
    }
  }

  long okCount() {
    return published.values().stream().filter(Published::isOk).count();
  }

  long notOkCount() {
    return published.size() - okCount();
  }

  /** /topic/pause was answered. */
  void paused() {
    pausedNs = System.nanoTime();
  }

  /** /topic/unpause is about to be sent. */
  void unpausing() {
    pausedNs = 0;
  }

  /** Whether a message that began then must not have been delivered yet. */
  boolean holdsBack(Published message) {
    long since = pausedNs;
    return since != 0 && message.startNs > since;
  }

  /** Bytes of messages that were answered OK and that some of these channels has not finished. */
  @SuppressWarnings("ModifyCollectionInEnhancedForLoop") // a concurrent map
  synchronized long liveBytes(Collection<ChannelAudit> channels) {
    long bytes = 0;
    for (Map.Entry<String, Published> entry : live.entrySet()) {
      Published message = entry.getValue();
      if (channels.stream().allMatch(c -> c.isSettled(entry.getKey(), message))) {
        live.remove(entry.getKey());
      } else if (message.isOk()) {
        bytes += message.bytes;
      }
    }
    return bytes;
  }
}
