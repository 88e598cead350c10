package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Http;
import io.holdfast.broker.system.support.RawNsqConnection;
import io.holdfast.broker.system.support.Reference;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is deferred before its topic has a channel counts as deferred once there is one. */
class DeferredBacklogSystemTest {
  private static final Duration QUIET = Duration.ofMillis(500);

  private static void ok(Http.Response response) {
    assertEquals("200 ", response.status() + " " + response.body());
  }

  private static String counts(JsonNode channel) {
    return channel.path("depth").asText() + " " + channel.path("deferred_count").asText();
  }

  private static void publishSomeDeferred(BrokerProcess to, String topic) {
    try (RawNsqConnection conn = to.connect()) {
      conn.pub(topic, "1");
      conn.command("DPUB " + topic + " 3600000", "d1").expectOk().mpub(topic, "2", "3");
      conn.command("DPUB " + topic + " 3600000", "d2").expectOk();
    }
  }

  private static void awaitDeferred(BrokerProcess of, String topic, String depthAndDeferred) {
    of.http().awaitChannel(topic, "ch", c -> depthAndDeferred.equals(counts(c)));
  }

  @Test
  void shouldCountAsDeferredWhatCameBeforeTheFirstChannel() {
    try (BrokerProcess broker = BrokerProcess.started("--mem-queue-size=100")) {
      broker.http().post("/pub?topic=early-one&defer=3600000", "d");
      ok(broker.http().post("/channel/create?topic=early-one&channel=ch"));
      awaitDeferred(broker, "early-one", "0 1");
      publishSomeDeferred(broker, "early");
      broker.http().awaitTopic("early", t -> t.path("message_count").asInt() == 5);
      try (RawNsqConnection conn = broker.subscribe("early", "ch")) {
        awaitDeferred(broker, "early", "3 2");
        ok(broker.http().post("/topic/pause?topic=early"));
        publishSomeDeferred(broker, "early");
        ok(broker.http().post("/topic/unpause?topic=early"));
        awaitDeferred(broker, "early", "6 4");
        assertEquals(
            List.of("1", "1", "2", "2", "3", "3"),
            conn.line("RDY 10").finish(6).stream().sorted().toList());
        conn.expectSilence(QUIET);
        awaitDeferred(broker, "early", "0 4");
      }
    }
  }

  @Test
  void shouldCountAsDeferredWhatCameBeforeTheFirstChannelAndAKill() {
    Reference.holdfastOnly("nsqd's topics forget delays at a restart");
    try (BrokerProcess own = BrokerProcess.started()) {
      publishSomeDeferred(own, "early");
      own.kill9();
      own.start();
      assertEquals(5, own.http().topic("early").path("depth").asInt());
      ok(own.http().post("/channel/create?topic=early&channel=ch"));
      awaitDeferred(own, "early", "3 2");
      own.kill9();
      own.start();
      awaitDeferred(own, "early", "3 2");
      try (RawNsqConnection conn = own.subscribe("early", "ch")) {
        assertEquals(List.of("1", "2", "3"), conn.line("RDY 10").finish(3));
      }
    }
  }
}
