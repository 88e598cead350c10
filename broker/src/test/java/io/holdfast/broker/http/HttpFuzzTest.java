package io.holdfast.broker.http;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.holdfast.broker.access.HttpAccess;
import io.holdfast.broker.access.Role;
import io.holdfast.broker.fuzz.FuzzTarget;
import io.holdfast.broker.history.Events;
import io.holdfast.broker.history.History;
import io.holdfast.broker.limits.Budgets;
import io.holdfast.broker.limits.ConnectionMemory;
import io.holdfast.broker.limits.MemoryBudget;
import io.holdfast.broker.metrics.BrokerCollector;
import io.holdfast.broker.metrics.Metrics;
import io.holdfast.broker.stats.Producers;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/**
 * Any bytes at the HTTP port: the answers are HTTP, none of them says that the broker failed, and
 * nothing is left behind. As {@code ProtocolFuzzTest}.
 */
class HttpFuzzTest {
  private static FuzzTarget target;
  private static Router router;

  @BeforeAll
  static void start() throws IOException {
    target = new FuzzTarget();
    router =
        new HttpApi(
                target.broker(),
                new Producers(),
                new Metrics(new BrokerCollector(target.broker(), false, Map.of(), Map::of)),
                new HttpAccess(null, Role.ADMIN, System::nanoTime),
                new Events(),
                new History(target.broker(), Map::of))
            .router();
    target.waitsWhile(
        conn -> {
          HttpConnectionHandler handler = conn.pipeline().get(HttpConnectionHandler.class);
          return handler != null && handler.isAnswering();
        });
  }

  @AfterAll
  static void stop() throws IOException {
    target.close();
  }

  private static void addTo(EmbeddedChannel conn, Budgets budgets) {
    HttpServer.Initializer.addHandlers(
        conn.pipeline(),
        new HttpServer.Config(null, null, null, HttpLimits.DEFAULT, budgets, null, null),
        router,
        new ConnectionMemory(budgets.memory().connections()));
  }

  private static void serve() {
    EmbeddedChannel conn = new EmbeddedChannel();
    addTo(conn, Budgets.of(MemoryBudget.ofThisJvm(0, 0)));
    String request = "GET /ping HTTP/1.1\r\nHost: a\r\n\r\n";
    conn.writeInbound(Unpooled.copiedBuffer(request, StandardCharsets.ISO_8859_1));
    Awaitility.await().until(() -> !conn.outboundMessages().isEmpty());
    ByteBuf reply = conn.readOutbound();
    String text = reply.toString(StandardCharsets.ISO_8859_1);
    reply.release();
    conn.finishAndReleaseAll();
    assertTrue(text.startsWith("HTTP/1.1 200 OK"), text);
  }

  @FuzzTest(maxDuration = "10m")
  void requests(byte[] input) {
    String text = new String(input, StandardCharsets.ISO_8859_1);
    if (text.contains("%") || text.contains("debug") || text.contains("log_level")) {
      // /debug acts on the JVM and takes its time; the log level would hide what is looked for. An
      // escaped name gets there as well.
      if (text.matches("(?s).*(debug|log_level|pprof|/[^ ?]*%).*")) {
        return;
      }
    }
    String answers =
        new String(
            target.run(input, new byte[0], HttpFuzzTest::addTo, HttpFuzzTest::serve),
            StandardCharsets.ISO_8859_1);
    assertTrue(answers.isEmpty() || answers.startsWith("HTTP/1."), answers);
    assertFalse(answers.contains("HTTP/1.1 500 "), answers);
  }
}
