package io.holdfast.broker.tls;

import java.io.IOException;
import java.net.Socket;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertPath;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Set;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Whom to trust: authorities of a PEM file, or any certificate at all. */
public final class TrustManagers {
  private static final Logger LOG = LoggerFactory.getLogger(TrustManagers.class);

  private TrustManagers() {}

  /**
   * A context for our own https requests (contract §1.7: nsqd's root CA file).
   *
   * @param rootCaFile PEM file of authorities; null for the JDK's
   * @throws TlsException naming the file, when it is unusable
   */
  public static SSLContext clientContext(Path rootCaFile) throws TlsException {
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(
          null, rootCaFile == null ? null : authorities(rootCaFile).getTrustManagers(), null);
      return context;
    } catch (GeneralSecurityException e) {
      throw new TlsException("cannot set up TLS for requests: " + e.getMessage(), null, e);
    }
  }

  static TrustManagerFactory authorities(Path pem) throws TlsException {
    X509Certificate[] certificates = new PemFile(pem).certificates();
    try {
      KeyStore store = KeyStore.getInstance("PKCS12");
      store.load(null, null);
      for (int i = 0; i < certificates.length; i++) {
        store.setCertificateEntry("ca" + i, certificates[i]);
        warnIfRefused(certificates[i], pem);
      }
      TrustManagerFactory factory =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      factory.init(store);
      return factory;
    } catch (GeneralSecurityException | IOException e) {
      throw new TlsException(
          "cannot use the authorities in " + pem + ": " + e.getMessage(), pem, e);
    }
  }

  /** What an authority signed is refused where the JVM's policy refuses its key or signature. */
  private static void warnIfRefused(X509Certificate authority, Path pem)
      throws GeneralSecurityException {
    PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(authority, null)));
    parameters.setRevocationEnabled(false);
    CertPath path = CertificateFactory.getInstance("X.509").generateCertPath(List.of(authority));
    try {
      CertPathValidator.getInstance("PKIX").validate(path, parameters);
    } catch (CertPathValidatorException e) {
      if (e.getReason() == CertPathValidatorException.BasicReason.ALGORITHM_CONSTRAINED) {
        LOG.warn(
            "TLS: this JVM's policy (jdk.certpath.disabledAlgorithms) refuses the authority {} in"
                + " {}: {}",
            authority.getSubjectX500Principal(),
            pem,
            e.getMessage());
      }
    }
  }

  /**
   * Accepts every client, for tls-client-auth-policy=require. That it has the key of the
   * certificate it shows is proven by the handshake itself. Extended, so that the JDK adds no
   * checks around it.
   */
  static final class AnyClient extends X509ExtendedTrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) {
      throw new UnsupportedOperationException("for servers only");
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket) {
      throw new UnsupportedOperationException("for servers only");
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine) {
      throw new UnsupportedOperationException("for servers only");
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }
}
