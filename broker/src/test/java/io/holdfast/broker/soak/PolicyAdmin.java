package io.holdfast.broker.soak;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.soak.SoakTopic.Published;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Sets policies, rewinds channels, ends dead letters and looks whether bounds hold, over the kills.
 * Used by one thread at a time; {@link #stop()} by any.
 */
final class PolicyAdmin implements Runnable {
  /** What is in flight when its connection ends comes back beyond the bound. */
  private static final int IN_FLIGHT_AT_MOST = 400;

  private static final List<Long> LIMITS = List.of(2L, 3L, 5L, 8L);

  private final SoakBroker broker;
  private final SoakReport report;
  private final Random random;
  private final Map<String, Map<String, String>> set = new LinkedHashMap<>();
  private List<DeadLetterBox> boxes = List.of();
  private List<Rewound> rewound = List.of();
  private Map<SoakTopic, Integer> depths = Map.of();
  private String variedAt;
  private String variedField;
  private InForce varied;
  private volatile boolean stopping;

  /**
   * A channel to be rewound.
   *
   * @param order null when it is not ordered
   * @param retainBytes {@link Long#MAX_VALUE} when everything is retained
   */
  record Rewound(ChannelAudit audit, ReplayRule rule, OrderRule order, long retainBytes) {}

  PolicyAdmin(SoakBroker broker, SoakReport report, long seed) {
    this.broker = broker;
    this.report = report;
    random = new Random(seed);
  }

  void use(
      List<DeadLetterBox> withDead, List<Rewound> withRewinds, Map<SoakTopic, Integer> maxDepths) {
    boxes = List.copyOf(withDead);
    rewound = List.copyOf(withRewinds);
    depths = Map.copyOf(maxDepths);
  }

  /** This field is changed over and over. */
  void vary(String target, String field, InForce values) {
    variedAt = target;
    variedField = field;
    varied = values;
  }

  void stop() {
    stopping = true;
  }

  @Override
  public void run() {
    while (!stopping) {
      SoakBroker.sleepMs(random.nextInt(400));
      int dice = random.nextInt(10);
      if (dice < 3) {
        rewind(oneOf(rewound));
      } else if (dice < 6) {
        oneOf(boxes).act(random);
      } else if (dice < 8) {
        varyLimit();
      } else {
        checkDepths();
        checkPolicies();
      }
    }
  }

  private <T> T oneOf(List<T> list) {
    return list.get(random.nextInt(list.size()));
  }

  // ---------------------------------------------------------------- policies

  /** Sets these fields by hand. */
  void set(String target, String fields) {
    SoakBroker.Answer answer = broker.ask("POST", target, fields, status -> status < 500);
    if (answer.response().status() != 200) {
      report.violation("policy refused", target + " " + fields + ": " + answer);
      return;
    }
    Map<String, String> byHand = set.computeIfAbsent(target, t -> new LinkedHashMap<>());
    answer
        .response()
        .json()
        .path("policy")
        .properties()
        .forEach(
            field -> {
              if (field.getValue().path("from").asText().equals("hand")) {
                byHand.put(field.getKey(), field.getValue().path("value").asText());
              }
            });
    report.count("policies set");
  }

  private void varyLimit() {
    long limit = oneOf(LIMITS);
    varied.asking(limit);
    set(variedAt, "{\"" + variedField + "\":" + limit + "}");
    varied.answered();
  }

  /** What was answered holds, whatever died since. */
  void checkPolicies() {
    set.forEach(
        (target, fields) -> {
          JsonNode policy =
              broker.ask("GET", target, null, s -> s < 500).response().json().path("policy");
          fields.forEach(
              (field, value) -> {
                JsonNode shown = policy.path(field);
                if (!shown.path("value").asText().equals(value)
                    || !shown.path("from").asText().equals("hand")) {
                  report.violation(
                      "policy lost", target + " " + field + " " + value + ", shown " + shown);
                }
              });
        });
  }

  private void checkDepths() {
    for (Map.Entry<SoakTopic, Integer> bound : depths.entrySet()) {
      JsonNode topic;
      try {
        topic = broker.process().http().topic(bound.getKey().name());
      } catch (UncheckedIOException | AssertionError down) {
        return;
      }
      for (JsonNode channel : topic.path("channels")) {
        long waiting = channel.path("depth").asLong() + channel.path("deferred_count").asLong();
        report.max("bounded topics: most waiting", waiting);
        if (waiting > bound.getValue() + IN_FLIGHT_AT_MOST) {
          report.violation("max_depth", bound.getKey().name() + " " + bound + " " + channel);
        }
      }
    }
  }

  // ---------------------------------------------------------------- replay

  private void rewind(Rewound of) {
    SoakTopic topic = of.audit.topic();
    boolean toStart = random.nextInt(3) == 0;
    String to = toStart ? "start" : position(of);
    long seen = toStart && of.retainBytes == Long.MAX_VALUE ? of.audit.ids().size() : 0;
    if (of.order != null) {
      of.order.suspend();
    }
    of.rule.rewinding(toStart);
    SoakBroker.Answer answer =
        broker.ask(
            "POST",
            "/channel/rewind?topic="
                + topic.name()
                + "&channel="
                + of.audit.channel()
                + "&to="
                + to,
            "",
            status -> status < 500);
    if (answer.response().status() != 200) {
      report.violation("rewind refused", of.audit + " to " + to + ": " + answer);
      return;
    }
    JsonNode done = answer.response().json();
    String id = done.path("id").isNull() ? null : done.path("id").asText();
    String key = id == null ? null : of.audit.keyOf(id);
    Published first = key == null ? null : topic.get(key);
    of.rule.rewound(id, first);
    if (of.order != null) {
      of.order.resume();
    }
    if (done.path("ready").asLong() < seen) {
      report.violation(
          "rewind", of.audit + " had " + seen + " messages, " + done + " after " + answer);
    }
    report.count("rewinds to " + (to.length() == 16 ? "an id" : to.contains(":") ? "a time" : to));
    report.add("rewinds, messages made ready", done.path("ready").asLong());
    if (answer.tries() > 1) {
      report.count("rewinds over an end of the broker");
    }
  }

  private String position(Rewound of) {
    int dice = random.nextInt(3);
    List<String> ids = of.audit.ids();
    if (dice == 0 || ids.isEmpty()) {
      return "end";
    }
    if (dice == 1) {
      return oneOf(ids);
    }
    return Instant.now().minusMillis(random.nextInt(20_000)).toString();
  }
}
