package io.holdfast.broker.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.access.Role.Right;
import io.holdfast.broker.config.ListenAddress;
import io.holdfast.broker.limits.Budgets;
import io.holdfast.broker.limits.MemoryBudget;
import io.holdfast.broker.net.Transport;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** HTTPS with a certificate made by the JDK's keytool. */
class HttpsTest {
  private static final char[] PASSWORD = "changeit".toCharArray();

  @TempDir Path dir;

  private KeyStore keyStore() throws IOException, GeneralSecurityException, InterruptedException {
    Path file = dir.resolve("key.p12");
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                "x",
                "-keyalg",
                "EC",
                "-dname",
                "CN=localhost",
                "-storetype",
                "PKCS12",
                "-keystore",
                file.toString(),
                "-storepass",
                new String(PASSWORD))
            .redirectErrorStream(true)
            .start();
    String output = new String(keytool.getInputStream().readAllBytes(), ISO_8859_1);
    assertEquals(0, keytool.waitFor(), output);
    KeyStore store = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(file)) {
      store.load(in, PASSWORD);
    }
    return store;
  }

  @Test
  void shouldServeAndRefuseOverTls() throws Exception {
    KeyStore store = keyStore();
    KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    keys.init(store, PASSWORD);
    SslContext serverContext = SslContextBuilder.forServer(keys).build();
    TrustManagerFactory trust =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(store);
    SSLContext clientContext = SSLContext.getInstance("TLS");
    clientContext.init(null, trust.getTrustManagers(), null);

    HttpApi.Routes routes = OpenRoutes.create();
    routes.add(
        Right.OPEN,
        "POST",
        "/body",
        BodyLimits.collect(() -> 100_000, HttpReply.error(413, "MSG_TOO_BIG")),
        RequestHandler.immediate(r -> HttpReply.text("size " + r.body().readableBytes())));
    Transport loops = new Transport(1, false);
    HttpServer server =
        HttpServer.bind(
            new HttpServer.Config(
                new ListenAddress("127.0.0.1", 0, null),
                loops,
                null,
                HttpLimits.DEFAULT,
                Budgets.of(MemoryBudget.ofThisJvm(0, 0)),
                () -> serverContext,
                null),
            new Router(routes.list()));
    try (SSLSocket socket =
        (SSLSocket) clientContext.getSocketFactory().createSocket("127.0.0.1", server.port())) {
      socket.setSoTimeout(10_000);
      String head = "POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: ";
      socket.getOutputStream().write((head + "90000\r\n\r\n").getBytes(ISO_8859_1));
      socket.getOutputStream().write(new byte[90_000]);
      assertTrue(readUntil(socket, "size 90000").startsWith("HTTP/1.1 200 OK"));
      socket.getOutputStream().write((head + "900000\r\n\r\n").getBytes(ISO_8859_1));
      assertTrue(readUntil(socket, "{\"message\":\"MSG_TOO_BIG\"}").contains("connection: close"));
      socket.getOutputStream().write(new byte[900_000]);
      assertEquals(-1, socket.getInputStream().read());
    } finally {
      server.close(1000);
      loops.close();
    }
  }

  private static String readUntil(SSLSocket socket, String end) throws IOException {
    StringBuilder text = new StringBuilder();
    while (text.indexOf(end) < 0) {
      int b = socket.getInputStream().read();
      assertTrue(b >= 0, "closed after " + text);
      text.append((char) b);
    }
    return text.toString();
  }
}
