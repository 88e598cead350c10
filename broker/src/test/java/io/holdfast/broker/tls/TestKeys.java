package io.holdfast.broker.tls;

import java.io.InputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;

/** A self-signed key pair made by the JDK's keytool, as PEM in any of the forms OpenSSL writes. */
@SuppressWarnings("ArrayRecordComponent") // One instance per key, compared to itself only.
record TestKeys(KeyStore store, byte[] certificate, PrivateKey key) {
  static final char[] PASSWORD = "password".toCharArray();

  /**
   * @param algorithm keytool's arguments for the kind of key
   */
  static TestKeys create(Path dir, String name, String... algorithm) throws Exception {
    Path file = dir.resolve(name + ".p12");
    String keytool = Path.of(System.getProperty("java.home"), "bin", "keytool").toString();
    List<String> command = new ArrayList<>();
    command.addAll(List.of(keytool, "-genkeypair", "-alias", "k", "-dname", "CN=" + name + ",O=x"));
    command.addAll(Arrays.asList(algorithm));
    command.addAll(List.of("-ext", "bc:c", "-storetype", "PKCS12"));
    command.addAll(List.of("-keystore", file.toString(), "-storepass", new String(PASSWORD)));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new IllegalStateException(output);
    }
    KeyStore store = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(file)) {
      store.load(in, PASSWORD);
    }
    return new TestKeys(
        store, store.getCertificate("k").getEncoded(), (PrivateKey) store.getKey("k", PASSWORD));
  }

  String certificatePem() {
    return pem("CERTIFICATE", certificate);
  }

  String pkcs8Pem() {
    return pem("PRIVATE KEY", key.getEncoded());
  }

  /** PKCS#1 or SEC 1: what PKCS#8 wraps in its last element, here the only octet string. */
  String oldStylePem() {
    byte[] pkcs8 = key.getEncoded();
    int at = at(pkcs8, 0); // into the outer sequence
    at += 3; // over the version
    at = at(pkcs8, at) + length(pkcs8, at); // over the algorithm
    byte[] inner = Arrays.copyOfRange(pkcs8, at(pkcs8, at), at(pkcs8, at) + length(pkcs8, at));
    return pem(key.getAlgorithm() + " PRIVATE KEY", inner);
  }

  private static int at(byte[] der, int at) {
    return at + 2 + ((der[at + 1] & 0x80) == 0 ? 0 : der[at + 1] & 0x7f);
  }

  private static int length(byte[] der, int at) {
    if ((der[at + 1] & 0x80) == 0) {
      return der[at + 1];
    }
    return new BigInteger(1, Arrays.copyOfRange(der, at + 2, at(der, at))).intValue();
  }

  static String pem(String type, byte[] der) {
    String text = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
    return "-----BEGIN " + type + "-----\n" + text + "\n-----END " + type + "-----\n";
  }
}
