package io.holdfast.broker.tls;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Security;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The server's TLS context for TCP and HTTPS alike (contract §8), on the JDK's TLS.
 *
 * <p><b>Changed files.</b> A new handshake looks, at most once a second, whether certificate, key
 * or authorities changed on disk, and if so loads them on the thread that asks (some milliseconds).
 * What cannot be used (also a certificate whose new key is still to be written) is logged once per
 * change and the old context stays. Connections that exist keep theirs.
 *
 * <p><b>Versions.</b> tls-min-version is the lowest version offered. The JDK's policy ({@code
 * jdk.tls.disabledAlgorithms} in its {@code java.security}) disables TLS 1.0 and 1.1, and this
 * class does not re-enable them: RFC 8996 forbids them, and the property counts for the whole JVM.
 * With the default tls1.0 thus 1.2 and 1.3 are served, which one log line says at start. Whoever
 * must serve an older client starts the JVM with {@code -Djava.security.properties=FILE}, where the
 * file sets that property without the two names; they are then offered without a change here.
 *
 * <p>Safe for use by any thread.
 */
public final class TlsContexts {
  /** Limit for a handshake, in ms (contract §2). */
  public static final long HANDSHAKE_TIMEOUT_MS = 5_000;

  private static final Logger LOG = LoggerFactory.getLogger(TlsContexts.class);
  private static final long CHECK_INTERVAL_NS = TimeUnit.SECONDS.toNanos(1);

  private final TlsOptions options;
  private final LongSupplier nanoClock;
  private final AtomicLong lastCheckNs;

  /** Replaced by whichever thread won the right to check. */
  private volatile SslContext context;

  private volatile long loads;

  /** What the files looked like when last loaded or refused; guarded by this. */
  private List<Stamp> stamps;

  /** A missing file has a null time. */
  private record Stamp(Object modified, long size, Object fileKey) {}

  /**
   * Loads the files.
   *
   * @param nanoClock monotonic, usually {@link System#nanoTime}
   * @throws TlsException with one line naming the file that is missing or unusable
   */
  public TlsContexts(TlsOptions options, LongSupplier nanoClock) throws TlsException {
    this.options = options;
    this.nanoClock = nanoClock;
    this.stamps = stampFiles();
    this.context = load();
    this.lastCheckNs = new AtomicLong(nanoClock.getAsLong());
    logVersions();
  }

  /** A handler for one new connection, with the handshake's time limit set. */
  public ServerTlsHandler newHandler(ByteBufAllocator alloc) {
    ServerTlsHandler handler = new ServerTlsHandler(current().newEngine(alloc), "TCP");
    handler.setHandshakeTimeoutMillis(HANDSHAKE_TIMEOUT_MS);
    return handler;
  }

  /** The context for a new handshake, after looking for changed files when it is time to. */
  public SslContext current() {
    long now = nanoClock.getAsLong();
    long last = lastCheckNs.get();
    if (now - last >= CHECK_INTERVAL_NS && lastCheckNs.compareAndSet(last, now)) {
      reloadIfChanged();
    }
    return context;
  }

  /**
   * Whether the files can be used as they are now; changes nothing.
   *
   * @throws TlsException as the constructor; it is not logged again until they change
   */
  public synchronized void verify() throws TlsException {
    List<Stamp> now = stampFiles();
    try {
      load();
    } catch (TlsException e) {
      stamps = now;
      throw e;
    }
  }

  /** Takes changed files over now. */
  public void check() {
    reloadIfChanged();
  }

  /** How often changed files were taken over. */
  public long loads() {
    return loads;
  }

  private synchronized void reloadIfChanged() {
    List<Stamp> now = stampFiles();
    if (now.equals(stamps)) {
      return;
    }
    stamps = now;
    try {
      context = load();
      loads++;
      LOG.info("TLS: loaded changed certificate {}", options.cert());
    } catch (TlsException e) {
      LOG.error("TLS: keeping the certificate in use: {}", e.getMessage());
    }
  }

  private List<Stamp> stampFiles() {
    return Stream.of(options.cert(), options.key(), options.rootCaFile())
        .filter(Objects::nonNull)
        .map(TlsContexts::stamp)
        .toList();
  }

  private static Stamp stamp(Path file) {
    try {
      BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
      return new Stamp(attributes.lastModifiedTime(), attributes.size(), attributes.fileKey());
    } catch (IOException e) {
      // Reported by load(), which will fail on the same file.
      LOG.debug("TLS: cannot look at {}: {}", file, e.toString());
      return new Stamp(null, 0, null);
    }
  }

  private SslContext load() throws TlsException {
    X509Certificate[] chain = chain(new PemFile(options.cert()).certificates());
    PemFile keyFile = new PemFile(options.key());
    PublicKey owner = chain[0].getPublicKey();
    PrivateKey key = keyFile.privateKey(owner);
    if (!isPair(key, owner)) {
      throw keyFile.mismatch();
    }
    try {
      SslContextBuilder builder =
          SslContextBuilder.forServer(key, chain)
              .sslProvider(SslProvider.JDK)
              .protocols(options.minVersion().jdkNamesFromHere());
      switch (options.clientAuth()) {
        case NONE -> builder.clientAuth(ClientAuth.NONE);
        case REQUIRE ->
            builder.clientAuth(ClientAuth.REQUIRE).trustManager(new TrustManagers.AnyClient());
        case REQUIRE_VERIFY -> {
          builder.clientAuth(ClientAuth.REQUIRE);
          if (options.rootCaFile() != null) {
            builder.trustManager(TrustManagers.authorities(options.rootCaFile()));
          }
        }
        case REQUIRE_VERIFY_UNNAMED ->
            builder
                .clientAuth(ClientAuth.REQUIRE)
                .trustManager(UnnamedAuthorities.of(options.rootCaFile()));
      }
      if (options.rootCaFile() != null
          && options.clientAuth().compareTo(TlsOptions.ClientAuthPolicy.REQUIRE_VERIFY) < 0) {
        // Unused here, but nsqd refuses to start with a bad file whatever the policy.
        TrustManagers.authorities(options.rootCaFile());
      }
      return builder.build();
    } catch (SSLException | IllegalArgumentException e) {
      Throwable cause = e.getCause() == null ? e : e.getCause();
      throw new TlsException(
          "cannot use certificate " + options.cert() + ": " + cause.getMessage(),
          options.cert(),
          e);
    }
  }

  /**
   * The first certificate and its issuers, in order. nsqd serves a file whatever else is in it and
   * in whatever order; the JDK refuses anything but a chain.
   */
  private static X509Certificate[] chain(X509Certificate[] certificates) {
    List<X509Certificate> chain = new ArrayList<>(List.of(certificates[0]));
    int length;
    do {
      length = chain.size();
      X509Certificate last = chain.get(length - 1);
      for (X509Certificate next : certificates) {
        if (next.getSubjectX500Principal().equals(last.getIssuerX500Principal())
            && !chain.contains(next)) {
          chain.add(next);
          break;
        }
      }
    } while (chain.size() > length);
    return chain.toArray(X509Certificate[]::new);
  }

  /** Signs and verifies, which needs no knowledge of each kind of key. */
  private static boolean isPair(PrivateKey key, PublicKey owner) {
    String algorithm =
        switch (owner.getAlgorithm()) {
          case "RSA" -> "SHA256withRSA";
          case "EC" -> "SHA256withECDSA";
          case "EdDSA", "Ed25519", "Ed448" -> "EdDSA";
          default -> null;
        };
    if (algorithm == null) {
      return true; // An unusual kind; a handshake will tell.
    }
    byte[] text = "holdfast".getBytes(StandardCharsets.US_ASCII);
    try {
      Signature signer = Signature.getInstance(algorithm);
      signer.initSign(key);
      signer.update(text);
      byte[] signature = signer.sign();
      Signature verifier = Signature.getInstance(algorithm);
      verifier.initVerify(owner);
      verifier.update(text);
      return verifier.verify(signature);
    } catch (GeneralSecurityException e) {
      LOG.debug("TLS: key pair check failed", e);
      return false;
    }
  }

  private void logVersions() {
    List<String> disabled =
        Arrays.stream(
                Objects.requireNonNullElse(Security.getProperty("jdk.tls.disabledAlgorithms"), "")
                    .split(","))
            .map(name -> name.strip().toLowerCase(Locale.ROOT))
            .toList();
    List<String> refused =
        Arrays.stream(options.minVersion().jdkNamesFromHere())
            .filter(protocol -> disabled.contains(protocol.toLowerCase(Locale.ROOT)))
            .toList();
    if (!refused.isEmpty()) {
      LOG.info(
          "TLS: tls-min-version is {}, but this JVM's policy (jdk.tls.disabledAlgorithms) disables"
              + " {}",
          options.minVersion().text(),
          refused);
    }
  }
}
