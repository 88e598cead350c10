package io.holdfast.broker.cluster.faults;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;

/** All that was sent, told, delivered and done to the cluster in one round. Thread-safe. */
final class History {
  final long zeroNs = System.nanoTime();

  private final Map<String, Command> commands = new ConcurrentHashMap<>();

  /** By topic, channel and message. */
  private final Map<String, Map<String, List<Delivery>>> deliveries = new ConcurrentHashMap<>();

  private final Collection<String> strange = new ConcurrentLinkedQueue<>();
  private final List<Trouble> troubles = new CopyOnWriteArrayList<>();

  /** Something that was done to the cluster, until it had recovered. */
  static final class Trouble {
    final String what;
    final long fromNs = System.nanoTime();
    volatile long toNs = Long.MAX_VALUE;

    Trouble(String what) {
      this.what = what;
    }

    boolean touches(long beginNs, long endNs) {
      return fromNs <= endNs && toNs >= beginNs;
    }
  }

  Trouble begins(String what) {
    Trouble trouble = new Trouble(what);
    troubles.add(trouble);
    return trouble;
  }

  List<Trouble> troubles() {
    return troubles;
  }

  /** Whether something was done between two moments. */
  boolean isTroubled(long fromNs, long toNs) {
    return troubles.stream().anyMatch(t -> t.touches(fromNs, toNs));
  }

  void sent(Command command) {
    commands.put(command.key, command);
  }

  Collection<Command> commands() {
    return commands.values();
  }

  Command command(String key) {
    return commands.get(key);
  }

  void delivered(String topic, Delivery delivery) {
    deliveries
        .computeIfAbsent(topic + " " + delivery.channel, key -> new ConcurrentHashMap<>())
        .computeIfAbsent(delivery.message(), key -> new CopyOnWriteArrayList<>())
        .add(delivery);
  }

  /** By message. */
  Map<String, List<Delivery>> deliveries(String topic, String channel) {
    return deliveries.getOrDefault(topic + " " + channel, Map.of());
  }

  /** Something that must not be. */
  void strange(String what) {
    strange.add(what);
  }

  Collection<String> strange() {
    return strange;
  }

  /** All that is known of a message. */
  String of(String key, Reigns reigns, int group) {
    StringBuilder all = new StringBuilder();
    Command command = commands.get(key);
    if (command == null) {
      return "  " + key + " was not sent in this round\n";
    }
    all.append(
        "  sent at %.3f, told at %.3f: %s%n"
            .formatted(seconds(command.sentNs), seconds(command.toldNs), command));
    long fromNs = command.sentNs;
    long toNs = command.toldNs;
    List<Delivery> its = new ArrayList<>();
    deliveries.forEach(
        (channel, messages) ->
            messages.forEach(
                (message, them) -> {
                  if (message.startsWith(key + "/")) {
                    its.addAll(them);
                  }
                }));
    its.sort((a, b) -> Long.compare(a.atNs, b.atNs));
    for (Delivery delivery : its) {
      all.append("  ").append(delivery.toString(zeroNs)).append('\n');
      toNs = Math.max(toNs, Math.max(delivery.atNs, delivery.finReadNs));
    }
    long marginNs = 2_000_000_000L;
    for (Trouble trouble : troubles) {
      if (trouble.touches(fromNs - marginNs, toNs + marginNs)) {
        all.append(
            "  %s from %.3f to %.3f%n"
                .formatted(trouble.what, seconds(trouble.fromNs), seconds(trouble.toNs)));
      }
    }
    for (Reigns.Reign reign : reigns.between(group, fromNs - marginNs, toNs + marginNs)) {
      all.append(
          "  %s, seen from %.3f to %.3f%n"
              .formatted(reign, seconds(reign.firstNs), seconds(reign.lastNs)));
    }
    return all.toString();
  }

  double seconds(long atNs) {
    return atNs == Long.MAX_VALUE ? Double.POSITIVE_INFINITY : (atNs - zeroNs) / 1e9;
  }
}
