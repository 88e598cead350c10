package io.holdfast.broker.tls;

import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.HashMap;
import java.util.Map;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;

/**
 * What /stats and AUTH say of a TLS connection (contract §1.7, §5). Made once after the handshake.
 *
 * @param version {@code TLS1.0} to {@code TLS1.3}
 * @param cipherSuite IANA name of a suite that nsqd knows by name, else {@code Unknown {number}}
 * @param commonName CN of the client's certificate; empty without one
 */
public record TlsSessionInfo(String version, String cipherSuite, String commonName) {
  /** For a connection without TLS. */
  public static final TlsSessionInfo NONE = new TlsSessionInfo("", "", "");

  /** IANA numbers of the suites the JDK can negotiate and nsqd does not name. */
  private static final Map<String, Integer> NUMBERS = new HashMap<>();

  /** Suites that nsqd names; under TLS 1.3 and for all others it shows the number. */
  private static final Map<String, String> NAMES = new HashMap<>();

  static {
    String[] named = {
      "RSA_WITH_RC4_128_SHA",
      "RSA_WITH_3DES_EDE_CBC_SHA",
      "RSA_WITH_AES_128_CBC_SHA",
      "RSA_WITH_AES_256_CBC_SHA",
      "ECDHE_ECDSA_WITH_RC4_128_SHA",
      "ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
      "ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
      "ECDHE_RSA_WITH_RC4_128_SHA",
      "ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
      "ECDHE_RSA_WITH_AES_128_CBC_SHA",
      "ECDHE_RSA_WITH_AES_256_CBC_SHA",
      "ECDHE_RSA_WITH_AES_128_GCM_SHA256",
      "ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    };
    for (String suite : named) {
      NAMES.put("TLS_" + suite, "TLS_" + suite);
      NAMES.put("SSL_" + suite, "TLS_" + suite); // The JDK's name of the oldest ones.
    }
    NUMBERS.put("TLS_AES_128_GCM_SHA256", 0x1301);
    NUMBERS.put("TLS_AES_256_GCM_SHA384", 0x1302);
    NUMBERS.put("TLS_CHACHA20_POLY1305_SHA256", 0x1303);
    NUMBERS.put("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", 0xc023);
    NUMBERS.put("TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", 0xc024);
    NUMBERS.put("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", 0xc027);
    NUMBERS.put("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", 0xc028);
    NUMBERS.put("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", 0xc02c);
    NUMBERS.put("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", 0xc030);
    NUMBERS.put("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", 0xcca8);
    NUMBERS.put("TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", 0xcca9);
    NUMBERS.put("TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256", 0xccaa);
    NUMBERS.put("TLS_RSA_WITH_AES_128_CBC_SHA256", 0x003c);
    NUMBERS.put("TLS_RSA_WITH_AES_256_CBC_SHA256", 0x003d);
    NUMBERS.put("TLS_RSA_WITH_AES_128_GCM_SHA256", 0x009c);
    NUMBERS.put("TLS_RSA_WITH_AES_256_GCM_SHA384", 0x009d);
    NUMBERS.put("TLS_DHE_RSA_WITH_AES_128_CBC_SHA", 0x0033);
    NUMBERS.put("TLS_DHE_RSA_WITH_AES_256_CBC_SHA", 0x0039);
    NUMBERS.put("TLS_DHE_RSA_WITH_AES_128_CBC_SHA256", 0x0067);
    NUMBERS.put("TLS_DHE_RSA_WITH_AES_256_CBC_SHA256", 0x006b);
    NUMBERS.put("TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", 0x009e);
    NUMBERS.put("TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", 0x009f);
  }

  /** Reads a session after its handshake. */
  public static TlsSessionInfo of(SSLSession session) {
    return new TlsSessionInfo(
        version(session.getProtocol()), cipherSuite(session.getCipherSuite()), commonName(session));
  }

  /** {@code TLSv1.2} to {@code TLS1.2}, {@code TLSv1} to {@code TLS1.0}. */
  static String version(String protocol) {
    return protocol.equals("TLSv1") ? "TLS1.0" : protocol.replace("TLSv", "TLS");
  }

  static String cipherSuite(String suite) {
    String name = NAMES.get(suite);
    if (name != null) {
      return name;
    }
    Integer number = NUMBERS.get(suite);
    return "Unknown " + (number == null ? suite : number.toString());
  }

  private static String commonName(SSLSession session) {
    try {
      Certificate[] chain = session.getPeerCertificates();
      return chain.length > 0 && chain[0] instanceof X509Certificate certificate
          ? commonName(certificate)
          : "";
    } catch (SSLPeerUnverifiedException e) {
      return ""; // How the JDK says that the client showed no certificate.
    }
  }

  /** The last CN in the certificate's own order, as in Go; empty without one. */
  static String commonName(X509Certificate certificate) {
    String commonName = "";
    try {
      // LdapName counts from the right, which is the order of the certificate.
      for (Rdn rdn : new LdapName(certificate.getSubjectX500Principal().getName()).getRdns()) {
        Object value = rdn.getValue();
        if (value instanceof String text && rdn.getType().equalsIgnoreCase("CN")) {
          commonName = text;
        }
      }
    } catch (InvalidNameException e) {
      return "";
    }
    return commonName;
  }
}
