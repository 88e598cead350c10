package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Http;
import io.holdfast.broker.system.support.Reference;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** More topics than the process has descriptors for. */
class DescriptorSystemTest {
  private static final int TOPICS = 200;

  @BeforeAll
  static void onlyHoldfast() {
    Reference.holdfastOnly("nsqd keeps the files of all topics open");
  }

  @Test
  void shouldMakeAndOpenMoreTopicsThanItHasDescriptors() {
    try (BrokerProcess broker = BrokerProcess.of("--idle-close=1h")) {
      broker.under("prlimit", "--nofile=400").start();
      for (int i = 0; i < TOPICS; i++) {
        broker.http().post("/pub?topic=t" + i, "m").expect(200, "OK");
        broker.http().post("/channel/create?topic=t" + i + "&channel=c").expect(200, "");
      }
      broker.kill9();
      broker.start();
      Http http = broker.http();
      for (int i = 0; i < TOPICS; i += 20) {
        assertEquals(1, http.channel("t" + i, "c").path("depth").asInt());
        http.post("/pub?topic=t" + i, "m").expect(200, "OK");
      }
      String log = broker.output();
      assertEquals(1, log.lines().filter(l -> l.contains("file descriptors: at most 400")).count());
      assertTrue(!log.contains("Too many open files"), log);
    }
  }
}
