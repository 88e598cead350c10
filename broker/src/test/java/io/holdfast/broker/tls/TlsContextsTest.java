package io.holdfast.broker.tls;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.config.TlsVersion;
import io.holdfast.broker.tls.TlsOptions.ClientAuthPolicy;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@SuppressWarnings("FutureReturnValueIgnored") // Failures show at the client.
class TlsContextsTest {
  private static TestKeys rsa;
  private static TestKeys ec;
  private static TestKeys client;
  private static MultiThreadIoEventLoopGroup group;

  @TempDir Path dir;

  private final AtomicLong now = new AtomicLong();
  private final BlockingQueue<TlsSessionInfo> handshakes = new LinkedBlockingQueue<>();
  private Path cert;
  private Path key;
  private Path ca;

  @BeforeAll
  static void makeKeys(@TempDir Path keys) throws Exception {
    rsa = TestKeys.create(keys, "rsa", "-keyalg", "RSA", "-keysize", "2048");
    ec = TestKeys.create(keys, "ec", "-keyalg", "EC", "-groupname", "secp256r1");
    client = TestKeys.create(keys, "client", "-keyalg", "EC", "-groupname", "secp384r1");
    group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  }

  @AfterAll
  static void stop() {
    group.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
  }

  @BeforeEach
  void paths() {
    cert = dir.resolve("cert.pem");
    key = dir.resolve("key.pem");
    ca = dir.resolve("ca.pem");
  }

  private TlsContexts contexts(ClientAuthPolicy policy, TlsVersion min) throws TlsException {
    return new TlsContexts(
        new TlsOptions(cert, key, Files.exists(ca) ? ca : null, policy, min), now::get);
  }

  private void write(String certPem, String keyPem) throws IOException {
    Files.writeString(cert, certPem);
    Files.writeString(key, keyPem);
  }

  /** A handshake with the given server; returns what the client saw. */
  private TlsSessionInfo handshake(
      TlsContexts contexts, TestKeys trusted, TestKeys clientKeys, String... protocols)
      throws Exception {
    Channel server =
        new ServerBootstrap()
            .group(group)
            .channel(NioServerSocketChannel.class)
            .childHandler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    SslHandler handler = contexts.newHandler(channel.alloc());
                    channel.pipeline().addLast(handler, new Report(handler));
                  }
                })
            .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .sync()
            .channel();
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    store.setCertificateEntry("ca", trusted.store().getCertificate("k"));
    TrustManagerFactory trust =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(store);
    KeyManager[] keys = null;
    if (clientKeys != null) {
      KeyManagerFactory factory =
          KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
      factory.init(clientKeys.store(), TestKeys.PASSWORD);
      keys = factory.getKeyManagers();
    }
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keys, trust.getTrustManagers(), null);
    InetSocketAddress address = (InetSocketAddress) server.localAddress();
    try (SSLSocket socket =
        (SSLSocket)
            context.getSocketFactory().createSocket(address.getAddress(), address.getPort())) {
      socket.setSoTimeout(10_000);
      if (protocols.length > 0) {
        socket.setEnabledProtocols(protocols);
      }
      socket.startHandshake();
      // With TLS 1.3 a refused client certificate shows only here.
      assertEquals('k', socket.getInputStream().read());
      return TlsSessionInfo.of(socket.getSession());
    } finally {
      server.close().sync();
    }
  }

  /** Sends one byte after the handshake and remembers the session. */
  private final class Report extends ChannelInboundHandlerAdapter {
    private final SslHandler handler;

    Report(SslHandler handler) {
      this.handler = handler;
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
      if (event instanceof SslHandshakeCompletionEvent done && done.isSuccess()) {
        handshakes.add(TlsSessionInfo.of(handler.engine().getSession()));
        ctx.writeAndFlush(ctx.alloc().buffer(1).writeByte('k'));
      }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
      ctx.close();
    }
  }

  @Test
  void shouldServeEachKindAndFormOfKey() throws Exception {
    for (TestKeys keys : new TestKeys[] {rsa, ec}) {
      for (String form : new String[] {keys.pkcs8Pem(), keys.oldStylePem()}) {
        write(
            keys.certificatePem() + client.certificatePem(),
            "-----BEGIN EC PARAMETERS-----\nAAAA\n-----END EC PARAMETERS-----\n" + form);
        TlsContexts contexts = contexts(ClientAuthPolicy.NONE, TlsVersion.TLS1_0);
        assertEquals(
            new TlsSessionInfo("TLS1.3", "Unknown 4865", keys.equals(rsa) ? "rsa" : "ec"),
            handshake(contexts, keys, null));
        assertEquals(new TlsSessionInfo("TLS1.3", "Unknown 4865", ""), handshakes.take());
        assertEquals("TLS1.2", handshake(contexts, keys, null, "TLSv1.2").version());
        handshakes.take();
      }
    }
  }

  @Test
  void shouldRefuseVersionsBelowTheMinimum() throws Exception {
    write(ec.certificatePem(), ec.pkcs8Pem());
    TlsContexts contexts = contexts(ClientAuthPolicy.NONE, TlsVersion.TLS1_3);
    assertThrows(SSLException.class, () -> handshake(contexts, ec, null, "TLSv1.2"));
    assertEquals("TLS1.3", handshake(contexts, ec, null).version());
  }

  @Test
  void shouldAskClientsForCertificatesAsThePolicySays() throws Exception {
    write(ec.certificatePem(), ec.pkcs8Pem());
    TlsContexts any = contexts(ClientAuthPolicy.REQUIRE, TlsVersion.TLS1_0);
    assertThrows(IOException.class, () -> handshake(any, ec, null));
    handshake(any, ec, rsa);
    assertEquals("rsa", handshakes.take().commonName());
    Files.writeString(ca, client.certificatePem());
    TlsContexts verify = contexts(ClientAuthPolicy.REQUIRE_VERIFY, TlsVersion.TLS1_2);
    assertThrows(IOException.class, () -> handshake(verify, ec, null));
    assertThrows(IOException.class, () -> handshake(verify, ec, rsa));
    handshake(verify, ec, client);
    assertEquals("client", handshakes.take().commonName());
  }

  @Test
  void shouldFollowChangedFilesAndKeepTheOldOnesWhenBad() throws Exception {
    write(rsa.certificatePem(), rsa.pkcs8Pem());
    TlsContexts contexts = contexts(ClientAuthPolicy.NONE, TlsVersion.TLS1_0);
    SslContext first = contexts.current();
    write(ec.certificatePem(), rsa.pkcs8Pem());
    assertSame(first, contexts.current(), "looked at again before a second passed");
    now.addAndGet(1_000_000_000);
    assertSame(first, contexts.current(), "the new key is still to be written");
    write(ec.certificatePem(), ec.pkcs8Pem());
    now.addAndGet(1_000_000_000);
    SslContext second = contexts.current();
    assertNotSame(first, second);
    assertEquals("ec", handshake(contexts, ec, null).commonName());
    now.addAndGet(1_000_000_000);
    assertSame(second, contexts.current(), "nothing changed");
    Files.delete(key);
    now.addAndGet(1_000_000_000);
    assertSame(second, contexts.current());
  }

  @Test
  void shouldVerifyBeforeItTakesOver() throws Exception {
    write(rsa.certificatePem(), rsa.pkcs8Pem());
    TlsContexts contexts = contexts(ClientAuthPolicy.NONE, TlsVersion.TLS1_2);
    contexts.verify();
    Object first = contexts.current();
    write("no PEM", rsa.pkcs8Pem());
    String reason = assertThrows(TlsException.class, contexts::verify).getMessage();
    assertTrue(reason.contains(cert.toString()), reason);
    contexts.check();
    assertEquals(0, contexts.loads());
    assertEquals(first, contexts.current());
    write(ec.certificatePem(), ec.pkcs8Pem());
    contexts.verify();
    assertEquals(0, contexts.loads());
    contexts.check();
    assertEquals(1, contexts.loads());
  }

  @Test
  void shouldNameTheFileThatIsUnusable() throws Exception {
    assertRefused("cannot read " + cert);
    write("nothing here", ec.pkcs8Pem());
    assertRefused("no certificate in " + cert);
    write(TestKeys.pem("CERTIFICATE", new byte[] {1, 2}), ec.pkcs8Pem());
    assertRefused("bad certificate in " + cert);
    write(ec.certificatePem(), ec.certificatePem());
    assertRefused("no private key in " + key);
    write(ec.certificatePem(), rsa.pkcs8Pem());
    assertRefused("private key in " + key);
    write(ec.certificatePem(), rsa.oldStylePem());
    assertRefused("private key in " + key + " does not match");
    write(ec.certificatePem(), TestKeys.pem("ENCRYPTED PRIVATE KEY", new byte[] {1}));
    assertRefused("private key in " + key + " is encrypted");
    write(ec.certificatePem(), ec.pkcs8Pem());
    Files.writeString(ca, "x");
    assertRefused("no certificate in " + ca);
  }

  private void assertRefused(String start) {
    String message =
        assertThrows(TlsException.class, () -> contexts(ClientAuthPolicy.NONE, TlsVersion.TLS1_0))
            .getMessage();
    assertTrue(message.startsWith(start), message);
    assertEquals(1, message.lines().count(), message);
  }

  @Test
  void shouldNameVersionsAndSuitesAsNsqdDoes() {
    assertEquals("TLS1.0", TlsSessionInfo.version("TLSv1"));
    assertEquals("TLS1.1", TlsSessionInfo.version("TLSv1.1"));
    assertEquals(
        "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
        TlsSessionInfo.cipherSuite("SSL_RSA_WITH_3DES_EDE_CBC_SHA"));
    assertEquals(
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        TlsSessionInfo.cipherSuite("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"));
    assertEquals("Unknown 4865", TlsSessionInfo.cipherSuite("TLS_AES_128_GCM_SHA256"));
    assertEquals(
        "Unknown 49200", TlsSessionInfo.cipherSuite("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"));
  }
}
