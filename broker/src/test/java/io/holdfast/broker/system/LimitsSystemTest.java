package io.holdfast.broker.system;

import static io.holdfast.broker.system.support.RawNsqConnection.int32;
import static io.holdfast.broker.system.support.RawNsqConnection.sized;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Frame;
import io.holdfast.broker.system.support.RawNsqConnection;
import io.holdfast.broker.system.support.Reference;
import org.junit.jupiter.api.Test;

/** What Holdfast bounds and nsqd does not, and the order that follows from its queues. */
class LimitsSystemTest {
  @Test
  void shouldBoundTopicsChannelsAndTheSumOfAnMpub() {
    Reference.holdfastOnly("nsqd has no such limits");
    try (BrokerProcess broker =
        BrokerProcess.started("--max-topics=2", "--max-channels=1", "--max-body-size=1000")) {
      try (RawNsqConnection conn = broker.connect()) {
        conn.pub("a", "1").pub("b", "1");
        conn.command("PUB c", "1")
            .expectFatal("E_PUB_FAILED PUB failed the limit of 2 topics is reached (max-topics)");
      }
      try (RawNsqConnection unused = broker.subscribe("a", "x");
          RawNsqConnection second = broker.connect()) {
        second
            .line("SUB a y")
            .expectFatal("E_SUB_FAILED SUB failed TOPIC(a) has its limit of 1 channels");
      }
      try (RawNsqConnection conn = broker.connect()) {
        conn.send("MPUB a\n" + int32(100) + int32(10) + sized("x".repeat(200)).repeat(10))
            .expectFatal("E_BAD_BODY MPUB body too big 1024 > 1000");
      }
      assertEquals(1, broker.http().topic("a").path("message_count").asInt());
    }
  }

  @Test
  void shouldDeliverInPublishOrderAcrossMemoryAndBackend() {
    Reference.holdfastOnly("nsqd promises no order");
    try (BrokerProcess broker = BrokerProcess.started("--mem-queue-size=100")) {
      try (RawNsqConnection conn = broker.connect()) {
        for (int i = 0; i < 500; i++) {
          conn.pub("ordered", String.valueOf(i));
        }
      }
      try (RawNsqConnection conn = broker.subscribe("ordered", "ch")) {
        conn.line("RDY 1");
        for (int i = 0; i < 500; i++) {
          Frame.Msg message = conn.message();
          assertEquals(String.valueOf(i), message.text());
          conn.fin(message);
        }
      }
    }
  }
}
