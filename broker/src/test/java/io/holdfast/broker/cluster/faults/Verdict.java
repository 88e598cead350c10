package io.holdfast.broker.cluster.faults;

import io.holdfast.broker.cluster.faults.Command.Told;
import io.holdfast.broker.cluster.faults.Reigns.Reign;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * What three brokers promised, held against what happened in one round:
 *
 * <ol>
 *   <li>what was answered OK came to every channel; what was finished a second before any fault
 *       never comes again;
 *   <li>nothing comes that nobody sent, or that was refused; no id has two bodies, no body two ids;
 *       MPUB is there whole or not at all; nothing comes before its time;
 *   <li>messages of one connection are stored in their order, and first come in the order of ids
 *       while one node leads;
 *   <li>what comes again has a reason;
 *   <li>no two nodes serve a group in one term ({@link Reigns}); at the end the nodes agree ({@link
 *       FaultRun}).
 * </ol>
 */
final class Verdict {
  private static final long FIN_HOLDS_NS = TimeUnit.SECONDS.toNanos(1);

  /** Another leader that no fault explains, on a busy machine, is found out of so late. */
  private static final long LEADS_NS = TimeUnit.SECONDS.toNanos(3);

  private static final long EARLY_NS = TimeUnit.MILLISECONDS.toNanos(250);
  private static final long READ_LATE_NS = TimeUnit.SECONDS.toNanos(1);
  private static final long LATE_NS = TimeUnit.SECONDS.toNanos(8);

  private final History history;
  private final Reigns reigns;
  private final FaultReport report;
  private final List<String> violations = new ArrayList<>();

  Verdict(History history, Reigns reigns, FaultReport report) {
    this.history = history;
    this.reigns = reigns;
    this.report = report;
  }

  /** What must not be; with all that is known of the message for each of the first ones. */
  List<String> violations() {
    return violations;
  }

  private void violation(String what, String key, int group) {
    report.add("VIOLATION " + what, 1);
    if (violations.size() < 20) {
      violations.add(what + ": " + key + "\n" + history.of(key, reigns, group));
    }
  }

  /** Judges what is not of one topic. */
  void judge() {
    history.strange().forEach(violations::add);
    history.strange().forEach(what -> report.add("VIOLATION strange", 1));
  }

  /**
   * Judges a topic.
   *
   * @param above ids of this round are above this one; empty for any
   * @return the highest id of this round
   */
  String judge(String topic, int group, List<String> channels, String above) {
    Map<String, String> idOf = new HashMap<>();
    Map<String, String> messageOf = new HashMap<>();
    String highest = above;
    for (String channel : channels) {
      for (Map.Entry<String, List<Delivery>> each : history.deliveries(topic, channel).entrySet()) {
        for (Delivery delivery : each.getValue()) {
          ids(delivery, idOf, messageOf, group);
          if (delivery.id.compareTo(above) <= 0) {
            violation("an id of an earlier round", delivery.key, group);
          }
          highest = delivery.id.compareTo(highest) > 0 ? delivery.id : highest;
        }
        source(topic, each.getValue(), group);
        again(each.getValue(), group);
      }
      order(topic, channel, group);
    }
    for (Command command : history.commands()) {
      if (command.topic.equals(topic)) {
        completeness(command, channels, group);
        answers(command, group);
      }
    }
    publishers(topic, idOf, group);
    return highest;
  }

  private void ids(
      Delivery delivery, Map<String, String> idOf, Map<String, String> messageOf, int group) {
    String id = idOf.putIfAbsent(delivery.message(), delivery.id);
    if (id != null && !id.equals(delivery.id)) {
      violation("stored twice, ids " + id + " " + delivery.id, delivery.key, group);
    }
    String message = messageOf.putIfAbsent(delivery.id, delivery.message());
    if (message != null && !message.equals(delivery.message())) {
      violation("id " + delivery.id + " has two bodies, " + message, delivery.key, group);
    }
  }

  private void source(String topic, List<Delivery> deliveries, int group) {
    Delivery first = deliveries.get(0);
    Command command = history.command(first.key);
    if (command == null) {
      violation("was not sent in this round", first.key, group);
    } else if (!command.topic.equals(topic) || first.number >= command.count) {
      violation("was not sent like this", first.key, group);
    } else if (command.told == Told.REFUSED) {
      violation("was refused and came", first.key, group);
    } else {
      for (Delivery delivery : deliveries) {
        long dueNs = command.sentNs + TimeUnit.MILLISECONDS.toNanos(command.deferMs);
        if (delivery.atNs < dueNs - EARLY_NS && command.deferMs > 0) {
          violation("came before its time", first.key, group);
        }
      }
    }
  }

  // ---------------------------------------------------------------- what came again

  private void again(List<Delivery> deliveries, int group) {
    for (int i = 1; i < deliveries.size(); i++) {
      Delivery now = deliveries.get(i);
      for (Delivery before : deliveries.subList(0, i)) {
        if (now.attempts >= before.attempts && isSure(before, group)) {
          violation("came again after FIN", now.key, group);
          return;
        }
      }
      String reason = reason(deliveries.get(i - 1), now, group);
      if (reason == null) {
        violation("came again without a reason", now.key, group);
        return;
      }
      report.add("came again: " + reason, 1);
    }
  }

  /** Whether its FIN was read so long before any fault that it holds. */
  private boolean isSure(Delivery delivery, int group) {
    return delivery.finReadNs > 0
        && !delivery.finFailed
        && !history.isTroubled(delivery.finNs, delivery.finReadNs + FIN_HOLDS_NS)
        && isOneReign(delivery, group, delivery.finNs, delivery.finReadNs + LEADS_NS);
  }

  /**
   * Whether one leader served a group all that time, and the consumer's node knew that before it
   * can have sent the delivery.
   */
  private boolean isOneReign(Delivery first, int group, long fromNs, long toNs) {
    Reigns.Reign reign = reigns.over(group, fromNs, toNs);
    return reign != null && reigns.knew(first.node, reign, first.atNs - READ_LATE_NS);
  }

  private String reason(Delivery before, Delivery now, int group) {
    if (now.attempts < before.attempts) {
      return "sent before, and read late";
    }
    if (before.requeued) {
      return "requeued";
    }
    if (before.finNs > 0 && before.finFailed) {
      return "its FIN was refused";
    }
    if (before.finNs > 0) {
      return before.finReadNs > 0 ? "FIN close to a fault" : "FIN perhaps not read";
    }
    if (before.endNs > 0) {
      return "its connection ended";
    }
    if (now.atNs - earliestSent(before)
        > TimeUnit.MILLISECONDS.toNanos(FaultConsumer.MSG_TIMEOUT_MS * 9L / 10)) {
      return "timed out";
    }
    boolean isOneLeader =
        !history.isTroubled(before.atNs, now.atNs)
            && isOneReign(before, group, before.atNs, now.atNs);
    return isOneLeader ? null : "another leader";
  }

  /** Here it was read, on a busy machine some time after it was sent; not before its publish. */
  private long earliestSent(Delivery delivery) {
    long earlyNs = delivery.atNs - READ_LATE_NS;
    Command command = history.command(delivery.key);
    return command == null || command.sentNs - earlyNs < 0 ? earlyNs : command.sentNs;
  }

  // ---------------------------------------------------------------- order

  private void order(String topic, String channel, int group) {
    Map<Long, List<Delivery>> firsts = new TreeMap<>();
    for (List<Delivery> deliveries : history.deliveries(topic, channel).values()) {
      Delivery first = deliveries.get(0);
      Command command = history.command(first.key);
      if (first.attempts == 1 && command != null && command.deferMs == 0) {
        firsts.computeIfAbsent(first.consumer, key -> new ArrayList<>()).add(first);
      }
    }
    for (List<Delivery> ofOne : firsts.values()) {
      ofOne.sort(Comparator.comparingLong(d -> d.atNs));
      for (int i = 1; i < ofOne.size(); i++) {
        Delivery before = ofOne.get(i - 1);
        Delivery now = ofOne.get(i);
        if (now.id.compareTo(before.id) < 0
            && isOneReign(before, group, before.atNs, now.atNs)
            && !history.isTroubled(before.atNs, now.atNs)) {
          violation("came first after " + before.id + " of " + before.key, now.key, group);
        }
      }
    }
  }

  /** What one connection sent to one topic has ids in that order. */
  private void publishers(String topic, Map<String, String> idOf, int group) {
    Map<Long, TreeMap<Long, Command>> connections = new TreeMap<>();
    for (Command command : history.commands()) {
      if (command.topic.equals(topic)) {
        connections
            .computeIfAbsent(command.connection, key -> new TreeMap<>())
            .put(command.sequence, command);
      }
    }
    for (TreeMap<Long, Command> connection : connections.values()) {
      String highest = "";
      for (Command command : connection.values()) {
        for (int i = 0; i < command.count; i++) {
          String id = idOf.get(command.key + "/" + i);
          if (id != null && id.compareTo(highest) < 0) {
            violation("stored out of its connection's order", command.key, group);
          }
          highest = id != null && id.compareTo(highest) > 0 ? id : highest;
        }
      }
    }
  }

  // ---------------------------------------------------------------- commands

  private void completeness(Command command, List<String> channels, int group) {
    int there = 0;
    int all = 0;
    for (String channel : channels) {
      Map<String, List<Delivery>> messages = history.deliveries(command.topic, channel);
      for (int i = 0; i < command.count; i++) {
        all++;
        there += messages.containsKey(command.key + "/" + i) ? 1 : 0;
      }
    }
    if (command.told == Told.OK && there < all) {
      violation("lost", command.key, group);
    } else if (there > 0 && there < all) {
      violation("there in part", command.key, group);
    } else if (command.told == Told.UNKNOWN) {
      report.add(there > 0 ? "unknown and there" : "unknown and not there", 1);
    }
  }

  private void answers(Command command, int group) {
    if (command.told == Told.NOTHING) {
      violation("never answered", command.key, group);
      return;
    }
    if (command.toldNs - command.sentNs > LATE_NS
        && !history.isTroubled(command.sentNs, command.toldNs)) {
      report.add("answered later than 8 s", 1);
    }
    if (!command.text.isEmpty()
        && !command.text.equals("connection ended")
        && !history.isTroubled(command.sentNs - LEADS_NS, command.toldNs)) {
      Reign one = reigns.over(group, command.sentNs - LEADS_NS, command.toldNs);
      if (one != null) {
        report.add("errors under one leader without a fault", 1);
        if (report.get("errors under one leader without a fault") <= 5) {
          System.out.println(
              "an error under one leader without a fault:\n"
                  + history.of(command.key, reigns, group));
        }
      }
    }
  }
}
