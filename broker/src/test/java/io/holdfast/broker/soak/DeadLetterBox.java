package io.holdfast.broker.soak;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.soak.SoakTopic.Published;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * The dead letters that a channel keeps: looked at, redriven and discarded meanwhile, and at the
 * end exactly what nobody finished. Used by one thread.
 */
final class DeadLetterBox {
  private static final int PEEKED = 1000;
  private static final long TOLERANCE_MS = 100;

  private final SoakBroker broker;
  private final SoakReport report;
  private final ChannelAudit audit;
  private final DyingRule dying;
  private final SoakRule cause;
  private final String reason;
  private final long ttlMs;
  private boolean onlyLooked;
  private final Set<String> discardedKeys = new HashSet<>();

  /** A dead letter as /channel/peek shows it. */
  private record Dead(String id, String key, int attempts) {}

  /**
   * A channel with dead letters.
   *
   * @param cause what lets them die, {@code dying} itself or another
   * @param reason what they must say of it
   * @param ttlMs how old they must have been; 0 if that is not why
   */
  DeadLetterBox(
      SoakBroker broker,
      SoakReport report,
      ChannelAudit audit,
      DyingRule dying,
      SoakRule cause,
      String reason,
      long ttlMs) {
    this.broker = broker;
    this.report = report;
    this.audit = audit;
    this.dying = dying;
    this.cause = cause;
    this.reason = reason;
    this.ttlMs = ttlMs;
  }

  /** None are redriven or discarded before the end. */
  DeadLetterBox onlyLooked() {
    onlyLooked = true;
    return this;
  }

  private String query() {
    return "?topic=" + audit.topic().name() + "&channel=" + audit.channel();
  }

  private void violation(String kind, String detail) {
    report.violation(kind, audit + " life " + report.brokerLife() + ": " + detail);
  }

  // ---------------------------------------------------------------- while all runs

  /** Redrives or discards some of them, or only looks. */
  void act(Random random) {
    Map<String, Dead> dead = peek();
    int action = random.nextInt(4);
    if (dead.isEmpty() || action == 0 || onlyLooked) {
      return;
    }
    List<String> ids = List.copyOf(dead.keySet());
    boolean redrive = action < 3;
    int how = random.nextInt(3);
    int count = how == 2 ? ids.size() : 1 + random.nextInt(Math.min(20, ids.size()));
    String which = "&n=" + count;
    Set<String> chosen = new HashSet<>(ids.subList(0, count));
    if (how == 0) {
      String id = ids.get(random.nextInt(ids.size()));
      count = 1;
      which = "&id=" + id;
      chosen = Set.of(id);
    } else if (how == 2 && redrive) {
      which = "";
    }
    // When the first answer was lost, the next ones take further ones.
    if (redrive) {
      dying.redriving(how == 0 ? chosen : null);
    } else {
      Set<String> maybe = how == 0 ? chosen : dead.keySet();
      // What expired before it ever came has no id that the audit knows.
      maybe.forEach(id -> discardedKeys.add(dead.get(id).key));
    }
    SoakBroker.Answer answer =
        broker.ask(
            "POST",
            (redrive ? "/channel/redrive" : "/channel/discard") + query() + which,
            "",
            status -> status < 500);
    if (redrive) {
      dying.redriven();
    } else {
      dying.discarded(chosen);
    }
    int status = answer.response().status();
    long done = status == 200 ? answer.response().json().path("count").asLong() : 0;
    boolean right =
        answer.tries() > 1
            ? status == 200 || (status == 404 && how == 0)
            : status == 200 && (which.isEmpty() ? done >= count : done == count);
    if (!right) {
      violation("dead letters", which + " of " + ids.size() + ": " + answer);
    }
    report.add(redrive ? "dead letters redriven" : "dead letters discarded", done);
  }

  private Map<String, Dead> peek() {
    SoakBroker.Answer answer =
        broker.ask(
            "GET",
            "/channel/peek" + query() + "&state=dead&bytes=64&n=" + PEEKED,
            null,
            status -> status < 500);
    Map<String, Dead> found = new LinkedHashMap<>();
    for (JsonNode message : answer.response().json().path("messages")) {
      byte[] body =
          message.has("body")
              ? message.path("body").asText().getBytes(StandardCharsets.ISO_8859_1)
              : Base64.getDecoder().decode(message.path("body_base64").asText());
      Dead dead =
          new Dead(
              message.path("id").asText(), SoakBody.key(body), message.path("attempts").asInt());
      if (found.put(dead.id, dead) != null) {
        violation("dead letters", dead + " twice");
      }
      check(dead, message);
    }
    return found;
  }

  private void check(Dead dead, JsonNode message) {
    Published published = dead.key == null ? null : audit.topic().get(dead.key);
    Delivery last = published == null ? null : audit.last(dead.key);
    if (published == null || (last != null && !last.id.equals(dead.id))) {
      violation("dead letters", dead + " was not published");
    } else if (last != null && last.finAccepted && !audit.isOwedAgain(last)) {
      violation("dead letters", dead + " was finished");
    } else if (dying.isDiscarded(dead.id)) {
      violation("dead letters", dead + " was discarded");
    } else if (published.isRefused() || !message.path("reason").asText().equals(reason)) {
      violation("dead letters", dead + " " + message);
    } else if (ttlMs == 0 && !dying.mayBeDead(published, last, System.nanoTime())) {
      violation("dead letters", dead + " was not tried often enough, last " + last.attempts);
    }
    if (ttlMs > 0) {
      long bornMs = TimeUnit.NANOSECONDS.toMillis(message.path("timestamp").asLong());
      long ageMs = Instant.parse(message.path("died").asText()).toEpochMilli() - bornMs;
      if (published != null && ageMs < ttlMs + published.delayMs - TOLERANCE_MS) {
        violation("dead letters", dead + " died after ms " + ageMs);
      }
    }
  }

  // ---------------------------------------------------------------- at the end

  long count() {
    JsonNode stats = broker.process().http().channel(audit.topic().name(), audit.channel());
    return stats.path("dead_count").asLong();
  }

  /** Nothing is left but dead letters: takes them all, and each open message must be one. */
  void checkAll() {
    Set<String> keys = new HashSet<>();
    long counted = count();
    for (Map<String, Dead> some = peek(); !some.isEmpty(); some = peek()) {
      some.values().forEach(dead -> keys.add(dead.key));
      broker.ask("POST", "/channel/discard" + query() + "&n=" + some.size(), "", s -> s == 200);
      dying.discarded(some.keySet());
    }
    if (counted != keys.size()) {
      violation("dead letters", "dead_count " + counted + ", there are " + keys.size());
    }
    List<String> lost = new ArrayList<>();
    for (String key : audit.openBut(cause)) {
      Delivery last = audit.last(key);
      if (!keys.contains(key) && !discardedKeys.contains(key)) {
        lost.add(key + (last == null ? "" : " id " + last.id + " attempts " + last.attempts));
      }
    }
    if (!lost.isEmpty()) {
      violation("lost", lost.size() + " neither finished nor dead " + lost);
    }
    report.add("dead letters at the end of a round", keys.size());
  }
}
