package io.holdfast.broker.system;

import static io.holdfast.broker.system.support.RawNsqConnection.batch;
import static io.holdfast.broker.system.support.RawNsqConnection.int32;
import static io.holdfast.broker.system.support.RawNsqConnection.sized;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.RawNsqConnection;
import io.holdfast.broker.system.support.Reference;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Contract §1.4: sizes, counts and bodies of IDENTIFY, AUTH, PUB, DPUB and MPUB. */
class BodyFramingSystemTest {
  private static BrokerProcess broker;

  @BeforeAll
  static void start() {
    broker = BrokerProcess.started();
  }

  @AfterAll
  static void stop() {
    broker.close();
  }

  static Stream<Arguments> badBodies() {
    List<Arguments> rows = new ArrayList<>();
    for (String x : List.of("IDENTIFY", "AUTH")) {
      String code = "E_BAD_BODY " + x;
      rows.add(arguments(x + "\n", true, code + " failed to read body size"));
      rows.add(arguments(x + "\n\0\0\0", true, code + " failed to read body size"));
      rows.add(arguments(x + "\n" + int32(0), false, code + " invalid body size 0"));
      rows.add(arguments(x + "\n" + int32(-7), false, code + " invalid body size -7"));
      rows.add(
          arguments(x + "\n" + int32(5242881), false, code + " body too big 5242881 > 5242880"));
      if (Reference.isHoldfast()) {
        rows.add(arguments(x + "\n" + int32(65537), false, code + " body too big 65537 > 65536"));
      }
      rows.add(arguments(x + "\n" + int32(5) + "{}", true, code + " failed to read body"));
    }
    for (String x : List.of("PUB", "DPUB")) {
      String line = x + " bad-body 0\n";
      String code = "E_BAD_MESSAGE " + x;
      rows.add(arguments(line, true, code + " failed to read message body size"));
      rows.add(arguments(line + int32(0), false, code + " invalid message body size 0"));
      rows.add(arguments(line + int32(-1), false, code + " invalid message body size -1"));
      rows.add(
          arguments(line + int32(1048577), false, code + " message too big 1048577 > 1048576"));
      rows.add(arguments(line + int32(5) + "abcd", true, code + " failed to read message body"));
    }
    String line = "MPUB bad-body\n";
    rows.add(arguments(line, true, "E_BAD_BODY MPUB failed to read body size"));
    rows.add(arguments(line + int32(0), false, "E_BAD_BODY MPUB invalid body size 0"));
    rows.add(arguments(line + int32(-1), false, "E_BAD_BODY MPUB invalid body size -1"));
    rows.add(
        arguments(line + int32(5242881), false, "E_BAD_BODY MPUB body too big 5242881 > 5242880"));
    String outer = line + int32(100);
    rows.add(arguments(outer, true, "E_BAD_BODY MPUB failed to read message count"));
    rows.add(arguments(outer + int32(0), false, "E_BAD_BODY MPUB invalid message count 0"));
    rows.add(arguments(outer + int32(-1), false, "E_BAD_BODY MPUB invalid message count -1"));
    rows.add(
        arguments(outer + int32(1048576), false, "E_BAD_BODY MPUB invalid message count 1048576"));
    String one = outer + int32(2) + sized("a");
    rows.add(arguments(one, true, "E_BAD_MESSAGE MPUB failed to read message(1) body size"));
    rows.add(arguments(one + int32(0), false, "E_BAD_MESSAGE MPUB invalid message(1) body size 0"));
    rows.add(
        arguments(one + int32(-3), false, "E_BAD_MESSAGE MPUB invalid message(1) body size -3"));
    rows.add(
        arguments(
            one + int32(1048577), false, "E_BAD_MESSAGE MPUB message too big 1048577 > 1048576"));
    rows.add(
        arguments(
            one + int32(9) + "short", true, "E_BAD_MESSAGE MPUB failed to read message body"));
    rows.add(
        arguments(
            outer + int32(1048575),
            true,
            "E_BAD_MESSAGE MPUB failed to read message(0) body size"));
    return rows.stream();
  }

  /** Too big and out of range is judged by the size alone: nothing follows it. */
  @ParameterizedTest
  @MethodSource("badBodies")
  void shouldRefuseBadBodies(String bytes, boolean end, String error) {
    try (RawNsqConnection conn = broker.connect()) {
      conn.send(bytes);
      if (end) {
        conn.endOutput();
      }
      conn.expectFatal(error);
    }
  }

  @Test
  void shouldPublishNothingOfBadMpubButCreateTopic() {
    try (RawNsqConnection conn = broker.connect()) {
      conn.send("MPUB mpub-nothing\n" + int32(100) + int32(3) + sized("a") + sized("b") + int32(0));
      conn.expectFatal("E_BAD_MESSAGE MPUB invalid message(2) body size 0");
    }
    assertEquals(0, broker.http().topic("mpub-nothing").path("message_count").asInt(-1));
    assertEquals(0, broker.http().topic("mpub-nothing").path("depth").asInt(-1));
  }

  @Test
  void shouldOnlyRangeCheckOuterMpubSize() {
    try (RawNsqConnection conn = broker.connect()) {
      conn.send("MPUB outer\n" + int32(1) + batch("a", "b")).expectOk();
      conn.send("MPUB outer\n" + int32(5242880) + batch("a") + "PUB outer\n" + sized("x"))
          .expectOk()
          .expectOk();
      conn.send("MPUB outer\n" + sized(batch("a") + "FOO\n"));
      conn.expectOk().expectFatal("E_INVALID invalid command FOO");
    }
  }

  @Test
  void shouldAcceptMessagesOfMaxMsgSize() {
    String body = "m".repeat(1048576);
    try (RawNsqConnection conn = broker.subscribe("max-msg", "ch")) {
      conn.pub("max-msg", body).line("RDY 5");
      assertEquals(body, conn.message().text());
      conn.mpub("max-msg", body);
      assertEquals(body, conn.message().text());
    }
  }
}
