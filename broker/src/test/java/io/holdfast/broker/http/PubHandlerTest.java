package io.holdfast.broker.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.http.PubHandler.Target;
import io.holdfast.broker.queue.BrokerException;
import io.holdfast.broker.queue.PublishListener;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PubHandlerTest {
  private final FakeTopics topics = new FakeTopics();
  private final PubHandler handler =
      new PubHandler(new PubHandler.Limits(() -> 10, () -> 40, () -> 3_600_000), topics, ns -> {});
  private HttpReply reply;

  /**
   * Topics that remember what was published, one line per call: topic, count, deferral, section.
   */
  private static final class FakeTopics implements PubHandler.Topics {
    final Map<String, Target> byName = new HashMap<>();
    final List<String> published = new ArrayList<>();
    boolean durableNow = true;
    String failure;
    PublishListener listener;

    @Override
    public Target existing(String name) {
      return byName.get(name);
    }

    @Override
    public CompletableFuture<Target> getOrCreate(String name) {
      if (name.equals("busy")) {
        return CompletableFuture.failedFuture(
            new CompletionException(new RejectedExecutionException("full")));
      }
      return name.equals("refused")
          ? CompletableFuture.failedFuture(new BrokerException("too many topics"))
          : CompletableFuture.completedFuture(byName.computeIfAbsent(name, this::newTarget));
    }

    private Target newTarget(String name) {
      return (ByteBuf section, int count, long deferMs, PublishListener onDone) -> {
        if (failure != null) {
          throw new BrokerException(failure);
        }
        listener = onDone;
        published.add(name + " " + count + " " + deferMs + " " + ByteBufUtil.hexDump(section));
        return durableNow;
      };
    }
  }

  private String call(boolean multi, String query, byte[] body, boolean tooBig) {
    reply = null;
    ByteBuf buffer = Unpooled.buffer().writeZero(ApiRequest.BODY_HEADROOM_BYTES);
    buffer.readerIndex(ApiRequest.BODY_HEADROOM_BYTES).writeBytes(body);
    ApiRequest request =
        new ApiRequest("POST", multi ? "/mpub" : "/pub", null, query, buffer, tooBig);
    try {
      if (multi) {
        handler.mpub(request, answer -> reply = answer);
      } else {
        handler.pub(request, answer -> reply = answer);
      }
    } catch (HttpError e) {
      reply = HttpReply.error(e);
    }
    return shown();
  }

  private String shown() {
    return reply == null ? "none" : reply.status() + " " + new String(reply.body(), UTF_8);
  }

  private String pub(String query, String body) {
    return call(false, query, body.getBytes(UTF_8), false);
  }

  private String mpub(String query, String body) {
    return call(true, query, body.getBytes(UTF_8), false);
  }

  @Test
  void shouldPublishToAnExistingTopic() {
    topics.getOrCreate("t").join();
    ApiRequest request =
        new ApiRequest("POST", "/pub", null, "topic=t&defer=7", bodyWithHeadroom("ab"), false);
    try {
      handler.pub(request, answer -> reply = answer);
    } catch (HttpError e) {
      throw new AssertionError(e);
    }
    assertEquals("200 OK", shown());
    assertEquals(List.of("t 1 7 000000026162"), topics.published);
  }

  private static ByteBuf bodyWithHeadroom(String text) {
    return Unpooled.buffer()
        .writeZero(ApiRequest.BODY_HEADROOM_BYTES)
        .readerIndex(ApiRequest.BODY_HEADROOM_BYTES)
        .writeBytes(text.getBytes(UTF_8));
  }

  @Test
  void shouldCreateTheTopic() {
    assertEquals("200 OK", pub("topic=new", "x"));
    assertEquals(List.of("new 1 0 0000000178"), topics.published);
  }

  @ParameterizedTest
  @CsvSource({
    "'', '', 400 MSG_EMPTY",
    "'a=%', x, 400 INVALID_REQUEST",
    "'', x, 400 MISSING_ARG_TOPIC",
    "topic=, x, 400 INVALID_TOPIC",
    "topic=$&defer=x, x, 400 INVALID_TOPIC",
    "topic=t&defer=x, x, 400 INVALID_DEFER",
    "topic=t&defer=, x, 400 INVALID_DEFER",
    "topic=t&defer=-1, x, 400 INVALID_DEFER",
    "topic=t&defer=3600001, x, 400 INVALID_DEFER",
    "topic=t&defer=99999999999999999999, x, 400 INVALID_DEFER",
    "topic=t&defer=1.5, x, 400 INVALID_DEFER",
    "topic=refused, x, 503 EXITING"
  })
  void shouldAnswerErrorsInOrder(String query, String body, String expected) {
    String[] parts = expected.split(" ");
    assertEquals(parts[0] + " {\"message\":\"" + parts[1] + "\"}", pub(query, body));
    assertEquals(List.of(), topics.published);
  }

  @Test
  void shouldCreateTheTopicEvenIfTheDeferralIsBad() {
    pub("topic=t&defer=x", "x");
    assertTrue(topics.byName.containsKey("t"));
  }

  @Test
  void shouldRefuseABodyBeyondTheLimitBeforeAnythingElse() {
    assertEquals("413 {\"message\":\"MSG_TOO_BIG\"}", call(false, "", new byte[11], true));
  }

  @Test
  void shouldAnswerOnlyWhenDurable() {
    topics.durableNow = false;
    assertEquals("none", pub("topic=t", "x"));
    topics.listener.onDurable();
    assertEquals("200 OK", shown());
  }

  @Test
  void shouldTellOfALateFailure() {
    topics.durableNow = false;
    pub("topic=t", "x");
    topics.listener.onFailed("no space left on device");
    assertEquals("503 {\"message\":\"EXITING\"}", shown());
  }

  @Test
  void shouldTellOfAnImmediateFailure() {
    topics.failure = "exiting";
    assertEquals("503 {\"message\":\"EXITING\"}", pub("topic=t", "x"));
    assertEquals("503 {\"message\":\"EXITING\"}", mpub("topic=t", "x\ny"));
  }

  @Test
  void shouldPublishTextAtOnce() {
    assertEquals("200 OK", mpub("topic=t", "a\n\nbc\n"));
    assertEquals(List.of("t 2 0 0000000161000000026263"), topics.published);
  }

  @Test
  void shouldTakeAnEmptyTextForNothingToDo() {
    assertEquals("200 OK", mpub("topic=t", ""));
    assertEquals(List.of(), topics.published);
    assertTrue(topics.byName.containsKey("t"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"binary=true", "binary=1", "binary=yes", "binary", "binary=FALSE"})
  void shouldTakeAlmostAnythingForBinary(String mode) {
    byte[] body = {0, 0, 0, 1, 0, 0, 0, 1, 'a', 9};
    assertEquals("200 OK", call(true, "topic=t&" + mode, body, false));
    assertEquals(List.of("t 1 0 0000000161"), topics.published);
  }

  @ParameterizedTest
  @ValueSource(strings = {"binary=false", "binary=0"})
  void shouldTakeTheRestForText(String mode) {
    assertEquals("200 OK", mpub("topic=t&" + mode, "a"));
    assertEquals(List.of("t 1 0 0000000161"), topics.published);
  }

  @Test
  void shouldPublishNothingOfABadBodyButCreateTheTopic() {
    byte[] body = {0, 0, 0, 2, 0, 0, 0, 1, 'a', 0, 0, 0, 0};
    String answer = call(true, "topic=t&binary=true", body, false);
    assertEquals("413 {\"message\":\"BAD_MESSAGE\"}", answer);
    assertEquals(List.of(), topics.published);
    assertTrue(topics.byName.containsKey("t"));
  }

  @Test
  void shouldLookAtArgumentsBeforeAChunkedBody() {
    byte[] tooMuch = new byte[41];
    assertEquals("400 {\"message\":\"MISSING_ARG_TOPIC\"}", call(true, "", tooMuch, true));
    assertEquals(
        "413 {\"message\":\"MSG_TOO_BIG\"}",
        call(true, "topic=t", "x".repeat(11).concat("\n").repeat(4).getBytes(UTF_8), true));
  }

  @Test
  void shouldAllowMoreForChunkedBinary() {
    assertEquals(40, handler.mpubBodyLimit().declaredMaxBytes("binary=true"));
    assertEquals(40, handler.mpubBodyLimit().collectMaxBytes("binary=true", false));
    assertEquals(40, handler.mpubBodyLimit().collectMaxBytes("topic=t", true));
    assertEquals(15 << 20, handler.mpubBodyLimit().collectMaxBytes("binary=true", true));
  }

  @Test
  void shouldRefuseWhenThereIsNoWorker() {
    assertEquals("503 {\"message\":\"EXITING\"}", pub("topic=busy", "a"));
    assertNull(topics.byName.get("busy"));
  }
}
