package io.holdfast.broker.soak;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/**
 * A round's topics with policies, each drawn anew: attempts and dead letters, time to live, order,
 * bounds, retention. They are created with it and deleted at its end. Used by one thread.
 */
final class PolicyTopics {
  private static final long MANY = Long.MAX_VALUE;

  private final SoakBroker broker;
  private final SoakReport report;
  private final Random random;
  private final long msgTimeoutNs;
  private final int number;
  private final List<String> topics = new ArrayList<>();
  private final Map<String, String> policies = new TreeMap<>();
  private final List<ChannelAudit> audits = new ArrayList<>();
  private final List<SoakPublisher> publishers = new ArrayList<>();
  private final List<SoakConsumer> consumers = new ArrayList<>();
  private final List<DeadLetterBox> boxes = new ArrayList<>();
  private final List<PolicyAdmin.Rewound> rewound = new ArrayList<>();
  private final Map<SoakTopic, Integer> depths =
      new TreeMap<>((a, b) -> a.name().compareTo(b.name()));
  private GravesRule graves;
  private PolicyAdmin admin;

  PolicyTopics(SoakBroker broker, SoakReport report, Random random, int number, long msgTimeoutNs) {
    this.broker = broker;
    this.report = report;
    this.random = random;
    this.number = number;
    this.msgTimeoutNs = msgTimeoutNs;
  }

  List<ChannelAudit> audits() {
    return audits;
  }

  List<SoakConsumer> consumers() {
    return consumers;
  }

  List<SoakPublisher> publishers() {
    return publishers;
  }

  PolicyAdmin admin() {
    return admin;
  }

  /** What the topics publish to and consume from; none of it runs yet. */
  void create() {
    admin = new PolicyAdmin(broker, report, random.nextLong());
    attempts();
    ages();
    order();
    bounds();
    replay();
    policies.forEach(admin::set);
    admin.use(boxes, rewound, depths);
    System.out.println("policies of round " + number + ": " + policies);
  }

  private SoakTopic topic(String name, String policy, int maxPauseMs, int maxBodyBytes) {
    SoakTopic topic = new SoakTopic(name + "-" + number);
    create(topic, policy);
    publishers.add(
        new SoakPublisher(broker.process(), topic, report, "p-" + topic.name(), random.nextLong())
            .slow(maxPauseMs, maxBodyBytes));
    return topic;
  }

  private void create(SoakTopic topic, String policy) {
    String query = "?topic=" + topic.name();
    broker.post("/topic/create" + query);
    topics.add(topic.name());
    if (policy != null) {
      policies.put("/topic/policy" + query, policy);
    }
  }

  private ChannelAudit channel(
      SoakTopic topic, String name, String policy, int consumersOfIt, SoakRule... rules) {
    ChannelAudit audit =
        new ChannelAudit(topic, name, report, msgTimeoutNs, System.nanoTime()).with(rules);
    String query = "?topic=" + topic.name() + "&channel=" + name;
    broker.post("/channel/create" + query);
    if (policy != null) {
      policies.put("/channel/policy" + query, "{" + policy + "}");
    }
    boolean never =
        List.of(rules).stream().anyMatch(rule -> rule instanceof DyingRule d && d.bounds());
    audits.add(audit);
    for (int i = 0; i < consumersOfIt; i++) {
      consumers.add(
          new SoakConsumer(broker.process(), audit, report, random.nextLong()).modest(never));
    }
    return audit;
  }

  private void attempts() {
    SoakTopic topic = topic("mortal", null, 100, 2000);
    int max = 2 + random.nextInt(3);
    DyingRule keep = new DyingRule(max);
    ChannelAudit kept = channel(topic, "keep", "\"max_attempts\":" + max, 2, keep);
    boxes.add(new DeadLetterBox(broker, report, kept, keep, keep, "max_attempts", 0));
    admin.vary(
        "/channel/policy?topic=" + topic.name() + "&channel=keep",
        "max_attempts",
        keep.maxAttempts);

    BackoffRule backoff = new BackoffRule(50 + random.nextInt(200), 500 + random.nextInt(500));
    channel(
        topic,
        "drop",
        "\"max_attempts\":"
            + max
            + ",\"dead_letter\":\"drop\",\"requeue_backoff\":\""
            + backoff.text()
            + "\"",
        1,
        new DyingRule(max),
        backoff);

    SoakTopic dead = new SoakTopic("graves-" + number, topic);
    create(dead, null);
    DyingRule moved = new DyingRule(max);
    ChannelAudit source =
        channel(
            topic,
            "moved",
            "\"max_attempts\":" + max + ",\"dead_letter\":\"" + dead.name() + "\"",
            2,
            moved);
    graves = new GravesRule(source, moved);
    channel(dead, "all", null, 1, graves);
  }

  private void ages() {
    SoakTopic topic = topic("aging", null, 100, 2000);
    int ttlMs = 1000 + random.nextInt(3000);
    channel(topic, "drop", "\"message_ttl\":" + ttlMs, 1, new AgeRule(ttlMs, null));
    DyingRule dying = new DyingRule(MANY);
    AgeRule age = new AgeRule(ttlMs, dying);
    ChannelAudit kept =
        channel(topic, "dead", "\"expired\":\"dead\",\"message_ttl\":" + ttlMs, 1, dying, age);
    boxes.add(new DeadLetterBox(broker, report, kept, dying, age, "expired", ttlMs));
  }

  private void order() {
    SoakTopic topic = topic("row", "{\"retain_for\":\"1h\"}", 600, 2000);
    ReplayRule replay = new ReplayRule(topic, MANY);
    OrderRule order = new OrderRule(report, msgTimeoutNs);
    if (random.nextBoolean()) {
      ChannelAudit line = channel(topic, "line", "\"ordered\":true", 2, order, replay);
      rewound.add(new PolicyAdmin.Rewound(line, replay, order, MANY));
      return;
    }
    DyingRule dying = new DyingRule(3);
    ChannelAudit line =
        channel(topic, "line", "\"ordered\":true,\"max_attempts\":3", 2, order, replay, dying);
    boxes.add(
        new DeadLetterBox(broker, report, line, dying, dying, "max_attempts", 0).onlyLooked());
    rewound.add(new PolicyAdmin.Rewound(line, replay, order, MANY));
  }

  private void bounds() {
    int max = 50 + random.nextInt(200);
    SoakTopic rejecting = topic("narrow", "{\"max_depth\":" + max + "}", 30, 2000);
    channel(rejecting, "one", "\"max_in_flight\":20", 1);
    channel(rejecting, "two", null, 2);
    depths.put(rejecting, max);
    SoakTopic dropping =
        topic("sliding", "{\"max_depth\":" + max + ",\"when_full\":\"drop_oldest\"}", 30, 2000);
    channel(dropping, "one", "\"max_in_flight\":20", 1, new OldestRule(dropping, max));
    channel(dropping, "two", null, 2, new OldestRule(dropping, max));
    depths.put(dropping, max);
  }

  private void replay() {
    boolean all = random.nextBoolean();
    long bytes = all ? MANY : 2 << 20;
    SoakTopic topic =
        topic(
            "replay",
            all ? "{\"retain_for\":\"1h\"}" : "{\"retain_bytes\":" + bytes + "}",
            150,
            16 << 10);
    ReplayRule replay = new ReplayRule(topic, all ? MANY : bytes / 2);
    ChannelAudit again = channel(topic, "again", null, 2, replay);
    rewound.add(new PolicyAdmin.Rewound(again, replay, null, bytes));
    channel(topic, "once", null, 1);
  }

  // ---------------------------------------------------------------- the end

  /** What waits or is in flight, in words; empty when nothing is. */
  String leftovers() {
    StringBuilder text = new StringBuilder();
    for (JsonNode topic : broker.process().http().stats("").path("topics")) {
      String name = topic.path("topic_name").asText();
      for (JsonNode channel :
          topics.contains(name) ? topic.path("channels") : List.<JsonNode>of()) {
        for (String count : List.of("depth", "in_flight_count", "deferred_count")) {
          if (channel.path(count).asInt(-1) != 0) {
            text.append(name).append('/').append(channel.path("channel_name").asText());
            text.append(' ').append(count).append(' ').append(channel.path(count)).append("; ");
          }
        }
      }
    }
    return text.toString();
  }

  /** When nothing waits any more. */
  void finalChecks() {
    Map<String, String> wrong = graves.withoutReason();
    if (!wrong.isEmpty()) {
      report.violation("dead letters", "copied without reason " + wrong);
    }
    report.add("dead letters copied to a topic", graves.count());
    admin.checkPolicies();
  }

  /** Kills it once more: the dead letters must be those that were there. */
  void checkDeadAfterKill(Runnable killAndStart) {
    List<Long> before = boxes.stream().map(DeadLetterBox::count).toList();
    killAndStart.run();
    List<Long> after = boxes.stream().map(DeadLetterBox::count).toList();
    if (!before.equals(after)) {
      report.violation("dead letters", "counts over a kill " + before + " and " + after);
    }
    admin.checkPolicies();
    boxes.forEach(DeadLetterBox::checkAll);
  }

  void delete() {
    topics.forEach(topic -> broker.post("/topic/delete?topic=" + topic));
  }
}
