package io.holdfast.broker.access;

import at.favre.lib.crypto.bcrypt.BCrypt;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * What a users file keeps of a secret: a bcrypt hash of a password, as {@code htpasswd -B} makes
 * it, or the SHA-256 of a bearer token, which is random and so needs no slow hash. Immutable.
 *
 * @param text as in the file
 * @param isToken whether it is a token's
 */
record SecretHash(String text, boolean isToken) {
  private static final Pattern BCRYPT =
      Pattern.compile("\\$2[aby]\\$(0[4-9]|[12][0-9]|3[01])\\$[./A-Za-z0-9]{53}");
  private static final Pattern SHA256 = Pattern.compile("[0-9a-fA-F]{64}");

  /** bcrypt looks at 72 bytes with the one that ends the password; what is longer was never set. */
  private static final int MAX_PASSWORD_BYTES = 71;

  /** Returns the hash, null when the text is none. */
  static SecretHash parseOrNull(String text) {
    if (SHA256.matcher(text).matches()) {
      return new SecretHash(text.toLowerCase(Locale.ROOT), true);
    }
    return BCRYPT.matcher(text).matches() ? new SecretHash(text, false) : null;
  }

  /** Whether a password is the one; takes some 50 ms and more by intent: on no event loop. */
  boolean isPassword(byte[] password) {
    return !isToken
        && password.length <= MAX_PASSWORD_BYTES
        && BCrypt.verifyer().verify(password, text.getBytes(StandardCharsets.US_ASCII)).verified;
  }

  /** What the file has of a token. */
  static String ofToken(byte[] token) {
    return HexFormat.of().formatHex(sha256().digest(token));
  }

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JVM has SHA-256", e);
    }
  }

  /** Without the hash, so that no log shows it. */
  @Override
  public String toString() {
    return isToken ? "token" : "password";
  }
}
