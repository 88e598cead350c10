package io.holdfast.broker.system.support;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;

/**
 * Keys and certificates made by the JDK's keytool: an authority ({@code ca.pem}) and whatever a
 * test names, issued by it or by itself. Files lie in the given directory.
 */
public final class Certificates {
  private static final char[] PASSWORD = "password".toCharArray();
  private static final String CA = "ca";

  private final Path directory;

  /** Makes the authority. */
  public Certificates(Path directory) {
    this(directory, CA);
  }

  /** Makes the authority, under that name. */
  public Certificates(Path directory, String authority) {
    this.directory = directory;
    keytool("-genkeypair", "-alias", CA, "-dname", "CN=" + authority, "-ext", "bc:c");
    write("ca.pem", pem("CERTIFICATE", encoded(CA)));
  }

  /** Makes {@code name.pem} and {@code name.key}, issued by the authority for localhost. */
  public Certificates issue(String name) {
    return make(name, "-signer", CA);
  }

  /** Makes {@code name.pem} and {@code name.key}, issued by nobody but itself. */
  public Certificates selfSigned(String name) {
    return make(name);
  }

  private Certificates make(String name, String... more) {
    List<String> args =
        new ArrayList<>(
            List.of("-genkeypair", "-alias", name, "-dname", "O=test,CN=" + name, "-ext"));
    args.add("san=dns:localhost,ip:127.0.0.1");
    args.addAll(Arrays.asList(more));
    keytool(args.toArray(String[]::new));
    try {
      write(name + ".pem", pem("CERTIFICATE", encoded(name)));
      write(name + ".key", pem("PRIVATE KEY", store().getKey(name, PASSWORD).getEncoded()));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
    return this;
  }

  /** A file made here, such as {@code server.pem}. */
  public Path file(String name) {
    return directory.resolve(name);
  }

  /** The certificate of that name. */
  public X509Certificate certificate(String name) {
    try {
      return (X509Certificate) store().getCertificate(name);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * A client that trusts the authority alone.
   *
   * @param name whose certificate it shows, null for none
   */
  public SSLContext client(String name) {
    try {
      KeyStore trusted = emptyStore();
      trusted.setCertificateEntry(CA, certificate(CA));
      TrustManagerFactory trust =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      trust.init(trusted);
      return context(name, "TLSv1.3", trust.getTrustManagers());
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * A client that trusts everyone.
   *
   * @param name whose certificate it shows, null for none
   * @param version the highest it speaks, such as {@code TLSv1.2}
   */
  public SSLContext trustingClient(String name, String version) {
    return context(name, version, new TrustManager[] {new Everyone()});
  }

  private SSLContext context(String name, String version, TrustManager[] trust) {
    try {
      KeyManagerFactory keys =
          KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
      KeyStore own = emptyStore();
      if (name != null) {
        KeyStore all = store();
        own.setKeyEntry(name, all.getKey(name, PASSWORD), PASSWORD, all.getCertificateChain(name));
      }
      keys.init(own, PASSWORD);
      SSLContext context = SSLContext.getInstance(version);
      context.init(name == null ? null : keys.getKeyManagers(), trust, null);
      return context;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private static KeyStore emptyStore() throws GeneralSecurityException {
    try {
      KeyStore store = KeyStore.getInstance("PKCS12");
      store.load(null, PASSWORD);
      return store;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private KeyStore store() throws GeneralSecurityException {
    try (InputStream in = Files.newInputStream(file("all.p12"))) {
      KeyStore store = KeyStore.getInstance("PKCS12");
      store.load(in, PASSWORD);
      return store;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private byte[] encoded(String name) {
    try {
      Certificate certificate = store().getCertificate(name);
      return certificate.getEncoded();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private void keytool(String... args) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
    command.addAll(Arrays.asList(args));
    command.addAll(List.of("-keyalg", "EC", "-groupname", "secp256r1", "-validity", "30"));
    command.addAll(List.of("-storetype", "PKCS12", "-storepass", new String(PASSWORD)));
    command.addAll(List.of("-keystore", file("all.p12").toString()));
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (process.waitFor() != 0) {
        throw new IllegalStateException(output);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  private void write(String name, String text) {
    try {
      Files.writeString(file(name), text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String pem(String type, byte[] der) {
    String text = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
    return "-----BEGIN " + type + "-----\n" + text + "\n-----END " + type + "-----\n";
  }

  private static final class Everyone implements X509TrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) {
      // Trusted.
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) {
      // Trusted.
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }
}
