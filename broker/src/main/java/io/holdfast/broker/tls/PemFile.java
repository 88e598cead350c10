package io.holdfast.broker.tls;

import io.holdfast.storage.files.Reasons;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Certificates and private keys of a PEM file, in all forms that OpenSSL writes without a password:
 * PKCS#8 ({@code PRIVATE KEY}), PKCS#1 ({@code RSA PRIVATE KEY}) and SEC 1 ({@code EC PRIVATE
 * KEY}).
 */
final class PemFile {
  private static final Pattern BLOCK =
      Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \\1-----", Pattern.DOTALL);

  private final Path path;
  private final List<Block> blocks = new ArrayList<>();

  private record Block(String type, String text) {}

  /**
   * @throws TlsException if it cannot be read
   */
  PemFile(Path path) throws TlsException {
    this.path = path;
    try {
      Matcher matcher = BLOCK.matcher(Files.readString(path, StandardCharsets.ISO_8859_1));
      while (matcher.find()) {
        blocks.add(new Block(matcher.group(1), matcher.group(2)));
      }
    } catch (IOException e) {
      // Of a directory it does not say which.
      String reason = Reasons.of(e);
      boolean namesIt = reason.startsWith(path.toString());
      throw new TlsException("cannot read " + (namesIt ? "" : path + ": ") + reason, path, e);
    }
  }

  /** All certificates, in file order; at least one. */
  X509Certificate[] certificates() throws TlsException {
    List<X509Certificate> certificates = new ArrayList<>();
    try {
      CertificateFactory factory = CertificateFactory.getInstance("X.509");
      for (Block block : blocks) {
        if (block.type().equals("CERTIFICATE")) {
          certificates.add(
              (X509Certificate)
                  factory.generateCertificate(new ByteArrayInputStream(decode(block))));
        }
      }
    } catch (CertificateException e) {
      throw new TlsException("bad certificate in " + path + ": " + e.getMessage(), path, e);
    }
    if (certificates.isEmpty()) {
      throw new TlsException("no certificate in " + path, path, null);
    }
    return certificates.toArray(X509Certificate[]::new);
  }

  /**
   * The first private key.
   *
   * @param owner the certificate's key, which says what kind of key (and curve) it must be
   */
  PrivateKey privateKey(PublicKey owner) throws TlsException {
    for (Block block : blocks) {
      boolean encrypted =
          block.type().startsWith("ENCRYPTED") || block.text().contains("ENCRYPTED");
      if (block.type().endsWith("PRIVATE KEY") && encrypted) {
        throw new TlsException(
            "private key in " + path + " is encrypted, which nsqd refuses too", path, null);
      }
      String algorithm = owner.getAlgorithm();
      byte[] pkcs8 =
          switch (block.type()) {
            case "PRIVATE KEY" -> decode(block);
            case "RSA PRIVATE KEY", "EC PRIVATE KEY" -> {
              algorithm = block.type().substring(0, 2).equals("EC") ? "EC" : "RSA";
              if (!algorithm.equals(owner.getAlgorithm())) {
                throw mismatch();
              }
              yield Der.pkcs8(owner.getEncoded(), decode(block));
            }
            default -> null;
          };
      if (pkcs8 == null) {
        continue;
      }
      try {
        return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
      } catch (GeneralSecurityException e) {
        throw new TlsException(
            "private key in "
                + path
                + " is not a usable "
                + algorithm
                + " key, as the certificate has",
            path,
            e);
      }
    }
    throw new TlsException("no private key in " + path, path, null);
  }

  /** What to say when certificate and key do not belong together. */
  TlsException mismatch() {
    return new TlsException(
        "private key in " + path + " does not match the certificate", path, null);
  }

  private byte[] decode(Block block) throws TlsException {
    try {
      return Base64.getMimeDecoder().decode(block.text().strip());
    } catch (IllegalArgumentException e) {
      throw new TlsException("bad base64 in " + block.type() + " of " + path, path, e);
    }
  }
}
