package io.holdfast.broker.tls;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;

/**
 * The little DER that it takes to put an old-style private key into PKCS#8, the only form the JDK
 * reads:
 *
 * <pre>
 * PKCS#8     = SEQUENCE { INTEGER 0, algorithm, OCTET STRING { old-style key } }
 * public key = SEQUENCE { algorithm, BIT STRING }
 * </pre>
 *
 * The algorithm, with an EC key's curve, is taken over from the certificate's public key.
 */
final class Der {
  private static final int SEQUENCE = 0x30;
  private static final int OCTET_STRING = 0x04;
  private static final byte[] INTEGER_ZERO = {2, 1, 0};

  private Der() {}

  /**
   * @param publicKey the JDK's own encoding of a public key, thus well-formed
   * @param key PKCS#1 or SEC 1
   */
  static byte[] pkcs8(byte[] publicKey, byte[] key) {
    int algorithmAt = contentAt(publicKey, 0);
    int algorithmEnd = contentAt(publicKey, algorithmAt) + contentLength(publicKey, algorithmAt);
    ByteArrayOutputStream content = new ByteArrayOutputStream();
    content.writeBytes(INTEGER_ZERO);
    content.writeBytes(Arrays.copyOfRange(publicKey, algorithmAt, algorithmEnd));
    content.writeBytes(element(OCTET_STRING, key));
    return element(SEQUENCE, content.toByteArray());
  }

  private static byte[] element(int tag, byte[] content) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(tag);
    if (content.length < 0x80) {
      out.write(content.length);
    } else {
      int lengthBytes = (39 - Integer.numberOfLeadingZeros(content.length)) / 8;
      out.write(0x80 | lengthBytes);
      for (int i = lengthBytes - 1; i >= 0; i--) {
        out.write(content.length >>> (8 * i));
      }
    }
    out.writeBytes(content);
    return out.toByteArray();
  }

  private static int contentAt(byte[] der, int at) {
    int first = der[at + 1] & 0xff;
    return at + 2 + (first < 0x80 ? 0 : first & 0x7f);
  }

  private static int contentLength(byte[] der, int at) {
    int first = der[at + 1] & 0xff;
    if (first < 0x80) {
      return first;
    }
    int length = 0;
    for (int i = 0; i < (first & 0x7f); i++) {
      length = length << 8 | (der[at + 2 + i] & 0xff);
    }
    return length;
  }
}
