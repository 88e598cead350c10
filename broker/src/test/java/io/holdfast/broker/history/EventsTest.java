package io.holdfast.broker.history;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.holdfast.broker.history.Audit.Change;
import org.junit.jupiter.api.Test;

class EventsTest {
  private final Events events = new Events();
  private final Audit audit = new Audit(events);

  private String latest() {
    return events.latest(1).get(0).message();
  }

  @Test
  void aLineIsOneOfWordsWhateverIsInIt() {
    audit.ok(new Change("bob", "127.0.0.1:5", "topic.delete", "t", null, null, null));
    assertEquals("user=bob remote=127.0.0.1:5 action=topic.delete topic=t result=ok", latest());
    audit.failed(
        new Change("a b", "@", "channel.empty", "x\n\"é", "c", null, null), "TOPIC_NOT_FOUND");
    assertEquals(
        "user=\"a b\" remote=@ action=channel.empty topic=\"x\\n\\\"é\" channel=c result=failed"
            + " reason=TOPIC_NOT_FOUND",
        latest());
    audit.refused(new Change("anonymous", "@", "config.set", null, null, "log_level", "debug"));
    assertEquals(
        "user=anonymous remote=@ action=config.set key=log_level value=debug result=refused",
        latest());
  }

  @Test
  void aLineSaysAtWhichNodeItWasAsked() {
    Change change = new Change("bob", "10.0.0.1:5", "topic.empty", "t", null, null, null);
    audit.ok(change.at("b", "admin"));
    assertEquals(
        "user=bob role=admin remote=10.0.0.1:5 node=b action=topic.empty topic=t result=ok",
        latest());
  }

  @Test
  void aLineIsBoundedWhateverIsInIt() {
    audit.refused(new Change("u".repeat(5000), "@", "login", "\n".repeat(5000), null, null, null));
    Event event = events.latest(1).get(0);
    assertEquals("user=" + "u".repeat(995), event.message());
    assertEquals("u".repeat(1000), event.user());
    assertEquals("\n".repeat(1000), event.topic());
  }

  @Test
  void theLastThousandAreKeptNewestFirst() {
    for (int i = 0; i < 1500; i++) {
      events.noticed(i, "WARN", "line " + i);
    }
    assertEquals(Events.KEPT, events.latest(5000).size());
    assertEquals("line 1499", events.latest(3).get(0).message());
    assertEquals("line 500", events.latest(1000).get(999).message());
  }
}
