package io.holdfast.broker.cluster.peers;

import io.holdfast.broker.tls.TlsContexts;
import io.holdfast.storage.files.Reasons;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.JdkSslContext;
import io.netty.handler.ssl.NotSslRecordException;
import io.netty.handler.ssl.SslHandler;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertPathValidatorException.BasicReason;
import java.security.cert.Certificate;
import java.security.cert.CertificateParsingException;
import java.security.cert.PKIXReason;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;

/** TLS between nodes: both show a certificate, and it is of the node that they say they are. */
final class PeerTls {
  private static final int DNS_NAME = 2;
  private static final String NOT_SIGNED = "certificate is not signed by cluster_tls_ca";

  private PeerTls() {}

  /** For a connection that was accepted. */
  static SslHandler accepted(TlsContexts tls, ByteBufAllocator alloc, Duration timeout) {
    return handler(tls.current().newEngine(alloc), timeout);
  }

  /**
   * For a connection that this node made: the same key and authorities. Whose certificate it is is
   * looked at afterwards, by a node's name instead of a host's.
   */
  static SslHandler connecting(TlsContexts tls, Duration timeout) {
    SSLEngine engine = ((JdkSslContext) tls.current()).context().createSSLEngine();
    engine.setUseClientMode(true);
    return handler(engine, timeout);
  }

  private static SslHandler handler(SSLEngine engine, Duration timeout) {
    SslHandler handler = new SslHandler(engine);
    handler.setHandshakeTimeoutMillis(timeout.toMillis());
    return handler;
  }

  /**
   * Why the other side's certificate does not make it a node.
   *
   * @return null when it does
   */
  static String refusal(SSLSession session, String node) {
    List<String> names = names(session);
    return names.stream().anyMatch(node::equalsIgnoreCase)
        ? null
        : "certificate is of " + (names.isEmpty() ? "nobody" : names.get(0)) + ", not " + node;
  }

  /** CN and DNS names of the other side's certificate. */
  private static List<String> names(SSLSession session) {
    List<String> names = new ArrayList<>();
    try {
      Certificate[] chain = session.getPeerCertificates();
      if (chain.length == 0 || !(chain[0] instanceof X509Certificate certificate)) {
        return names;
      }
      for (Rdn rdn : new LdapName(certificate.getSubjectX500Principal().getName()).getRdns()) {
        if (rdn.getType().equalsIgnoreCase("CN") && rdn.getValue() instanceof String name) {
          names.add(name);
        }
      }
      Collection<List<?>> others = certificate.getSubjectAlternativeNames();
      for (List<?> other : others == null ? List.<List<?>>of() : others) {
        if (other.get(0).equals(DNS_NAME)) {
          names.add((String) other.get(1));
        }
      }
    } catch (SSLPeerUnverifiedException | InvalidNameException | CertificateParsingException e) {
      return names;
    }
    return names;
  }

  /** Whether the other side did not even try to speak TLS. */
  static boolean isStranger(Throwable failure) {
    return failure instanceof NotSslRecordException
        || failure.getCause() instanceof NotSslRecordException;
  }

  /** Why a handshake failed, for people. */
  static String reason(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof CertPathBuilderException) {
        return NOT_SIGNED;
      }
      if (cause instanceof CertPathValidatorException invalid) {
        boolean isOthers =
            invalid.getReason() == PKIXReason.NO_TRUST_ANCHOR
                || invalid.getReason() == BasicReason.INVALID_SIGNATURE;
        return isOthers ? NOT_SIGNED : "certificate is not valid: " + Reasons.of(invalid);
      }
      String text = String.valueOf(cause.getMessage());
      if (text.contains("Empty client certificate chain")) {
        return "it has no certificate";
      }
      if (text.contains("fatal alert")) {
        return "it does not accept this node's certificate or TLS: " + Reasons.of(cause);
      }
    }
    return "TLS: " + Reasons.of(failure);
  }
}
