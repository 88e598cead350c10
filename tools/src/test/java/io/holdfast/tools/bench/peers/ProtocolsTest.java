package io.holdfast.tools.bench.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** What is sent, byte by byte, and that what comes is understood however it is cut. */
class ProtocolsTest {
  private final Bodies bodies = new Bodies();
  private final Seen seen = new Seen(bodies);
  private final Out out = new Out();

  /** Counts. */
  private static final class Seen implements Protocol.Listener {
    private final Bodies bodies;
    private int confirmed;

    Seen(Bodies bodies) {
      this.bodies = bodies;
    }

    @Override
    public void confirmed(int messages) {
      confirmed += messages;
    }

    @Override
    public void message(byte[] in, int at, int length) throws IOException {
      bodies.arrive(in, at, length);
    }
  }

  private byte[] body() {
    Out to = new Out();
    bodies.write(to, 7);
    return to.toBytes();
  }

  private static String latin(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  private static Out bytes(String text) {
    return new Out().ascii(text);
  }

  /** One more byte each time, as a slow network would. */
  private void feed(Protocol protocol, Out input) throws IOException {
    byte[] all = input.toBytes();
    int used = 0;
    for (int end = 0; end <= all.length; end++) {
      used = protocol.read(all, used, end, seen, out);
    }
    assertEquals(all.length, used);
  }

  /** What was published, with a mark in place of each body. */
  private String published(Protocol protocol, int count) {
    long first = bodies.written();
    Out to = new Out();
    protocol.publish(to, bodies, count, 7);
    assertEquals(first + count, bodies.written());
    byte[] sent = to.toBytes();
    Out run = new Out();
    bodies.write(run, 7);
    String start = latin(Arrays.copyOf(run.toBytes(), Long.BYTES));
    StringBuilder text = new StringBuilder(latin(sent));
    for (int at = text.indexOf(start); at >= 0; at = text.indexOf(start)) {
      text.replace(at, at + Bodies.SIZE, "<body>");
    }
    return text.toString();
  }

  private String finished(Protocol protocol) {
    protocol.finish(out);
    String text = latin(out.toBytes());
    out.clear();
    return text;
  }

  @Test
  void shouldSpeakNsq() throws IOException {
    NsqProtocol nsq = new NsqProtocol("q", false);
    assertEquals("PUB q\n\0\0\0\u00c8<body>", published(nsq, 1));
    assertEquals(
        "MPUB q\n\0\0\1\u009c\0\0\0\2\0\0\0\u00c8<body>\0\0\0\u00c8<body>", published(nsq, 2));
    feed(nsq, new Out().int32(6).int32(0).ascii("OK").int32(6).int32(0).ascii("OK"));
    assertEquals(3, seen.confirmed);
    feed(nsq, new Out().int32(15).int32(0).ascii("_heartbeat_"));
    assertEquals("NOP\n", finished(nsq));
    Out message = new Out().int32(30 + Bodies.SIZE).int32(2).int64(1).int16(1);
    feed(nsq, message.ascii("0123456789abcdef").put(body()));
    assertEquals(1, bodies.arrived());
    assertEquals("FIN 0123456789abcdef\n", finished(nsq));
    Out error = new Out().int32(13).int32(1).ascii("E_INVALID");
    assertTrue(
        assertThrows(IOException.class, () -> feed(nsq, error)).getMessage().contains("E_INVALID"));
  }

  @Test
  void shouldSpeakRedis() throws IOException {
    RedisProtocol redis = new RedisProtocol("que");
    assertEquals(
        "*5\r\n$4\r\nXADD\r\n$3\r\nque\r\n$1\r\n*\r\n$1\r\nb\r\n$200\r\n<body>\r\n",
        published(redis, 1));
    feed(redis, bytes("$3\r\n1-0\r\n$4\r\n12-0\r\n"));
    assertEquals(2, seen.confirmed);
    redis.begin(out);
    String ask = latin(out.toBytes());
    out.clear();
    assertTrue(ask.startsWith("*11\r\n$10\r\nXREADGROUP\r\n$5\r\nGROUP\r\n$1\r\ng\r\n"), ask);
    Out answer = bytes("*1\r\n*2\r\n$3\r\nque\r\n*2\r\n");
    answer.ascii("*2\r\n$3\r\n1-0\r\n*2\r\n$1\r\nb\r\n$200\r\n").put(body()).ascii("\r\n");
    answer.ascii("*2\r\n$4\r\n12-0\r\n*2\r\n$1\r\nb\r\n$200\r\n").put(body()).ascii("\r\n");
    feed(redis, answer);
    assertEquals(2, bodies.arrived());
    assertEquals(
        "*5\r\n$4\r\nXACK\r\n$3\r\nque\r\n$1\r\ng\r\n$3\r\n1-0\r\n$4\r\n12-0\r\n" + ask,
        finished(redis));
    feed(redis, bytes(":2\r\n"));
    assertEquals("", finished(redis));
    feed(redis, bytes("*-1\r\n"));
    assertEquals(ask, finished(redis));
    assertThrows(IOException.class, () -> feed(redis, bytes("-OOM\r\n")));
  }

  @Test
  void shouldSpeakNats() throws IOException {
    NatsProtocol nats = new NatsProtocol("q", 1);
    String publish = published(nats, 1);
    assertTrue(publish.matches("(?s)PUB q _I\\.\\d+ 200\r\n<body>\r\n"), publish);
    feed(nats, bytes("+OK\r\nMSG _I.1 1 26\r\n{\"stream\":\"q\", \"seq\":123456}\r\n", 26));
    assertEquals(1, seen.confirmed);
    assertEquals("", finished(nats));
    nats.begin(out);
    String pulls = latin(out.toBytes());
    out.clear();
    assertEquals(2, pulls.split("PUB \\$JS.API.CONSUMER.MSG.NEXT.q.c ", -1).length - 1, pulls);
    Out message = bytes("MSG q 2 $JS.ACK.q.c.1.1.1.5.0 200\r\n").put(body()).ascii("\r\n");
    feed(nats, message);
    assertEquals(1, bodies.arrived());
    assertEquals("PUB $JS.ACK.q.c.1.1.1.5.0 4\r\n+ACK\r\n", finished(nats));
    feed(nats, bytes("PING\r\n"));
    assertEquals("PONG\r\n", finished(nats));
    feed(nats, bytes("HMSG _I.1.m 2 12 12\r\nNATS/1.0 408\r\n"));
    assertEquals(pulls, finished(nats));
    Out refusal = bytes("MSG _I.1 1 11\r\n{\"error\":{}}\r\n");
    assertThrows(IOException.class, () -> feed(nats, refusal));
    assertThrows(IOException.class, () -> feed(nats, bytes("-ERR 'x'\r\n")));
  }

  private static Out bytes(String text, int length) {
    String json = text.substring(text.indexOf('{'), text.indexOf('}') + 1);
    return bytes(text.replace(" " + length + "\r", " " + json.length() + "\r"));
  }

  private static Out frame(int type, Out payload) {
    return new Out().put(type).int16(1).int32(payload.size()).put(payload).put(0xCE);
  }

  private static Out method(int classId, int methodId) {
    return new Out().int16(classId).int16(methodId);
  }

  @Test
  void shouldSpeakAmqp() throws IOException {
    AmqpProtocol amqp = new AmqpProtocol("q", "quorum");
    assertEquals(
        "\1\0\1\0\0\0\12\0\74\0\50\0\0\0\1q\0\u00ce"
            + "\2\0\1\0\0\0\17\0\74\0\0\0\0\0\0\0\0\0\u00c8\20\0\2\u00ce"
            + "\3\0\1\0\0\0\u00c8<body>\u00ce",
        published(amqp, 1));
    feed(amqp, frame(1, method(60, 80).int64(1).put(0)));
    assertEquals(1, seen.confirmed);
    Out deliver = method(60, 60).put(2).ascii("ct").int64(9).put(0).put(0).put(1).ascii("q");
    Out message = frame(1, deliver).put(frame(2, new Out().int64(0).int64(0)));
    feed(amqp, message.put(frame(3, new Out().put(body()))));
    assertEquals(1, bodies.arrived());
    assertEquals("\1\0\1\0\0\0\15\0\74\0\120\0\0\0\0\0\0\0\11\1\u00ce", finished(amqp));
    assertEquals("", finished(amqp));
    Out close = frame(1, method(20, 40).int16(404).put(9).ascii("NOT_FOUND").int32(0));
    assertTrue(
        assertThrows(IOException.class, () -> feed(amqp, close))
            .getMessage()
            .contains("NOT_FOUND"));
    assertThrows(IOException.class, () -> feed(amqp, frame(1, method(60, 120).int64(2).put(0))));
  }

  @Test
  void shouldCountConfirmsInAnyOrder() {
    AmqpProtocol amqp = new AmqpProtocol("q", "quorum");
    assertEquals(1, amqp.confirm(3, false));
    assertEquals(0, amqp.confirm(3, false));
    assertEquals(1, amqp.confirm(1, false));
    assertEquals(3, amqp.confirm(5, true));
    assertEquals(0, amqp.confirm(4, true));
    assertEquals(1, amqp.confirm(6, false));
  }

  @Test
  void shouldRefuseBodiesThatWereNeverPublished() throws IOException {
    byte[] good = body();
    bodies.arrive(good, 0, good.length);
    bodies.arrive(good, 0, good.length);
    assertEquals(1, bodies.arrived());
    assertEquals(1, bodies.duplicates());
    for (int at : new int[] {0, 24, Bodies.SIZE - 1}) {
      byte[] bad = body();
      bad[at] ^= 1;
      assertThrows(IOException.class, () -> bodies.arrive(bad, 0, bad.length));
    }
    assertThrows(IOException.class, () -> bodies.arrive(good, 0, good.length - 1));
  }
}
