package io.holdfast.broker.config;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.zip.CRC32;

/** The node id that goes into message ids (contract §3, §8): 0..1023. */
public final class NodeId {
  /** One above the largest node id. */
  public static final int LIMIT = 1024;

  private NodeId() {}

  /**
   * nsqd's default: CRC32-IEEE of the MD5 of the host name, modulo 1024. The same machine keeps its
   * node id when nsqd is replaced.
   *
   * @param hostName the machine's name, see {@link HostName}
   * @return 0..1023
   */
  public static int ofHostName(String hostName) {
    CRC32 crc = new CRC32();
    crc.update(md5().digest(hostName.getBytes(StandardCharsets.UTF_8)));
    return (int) (crc.getValue() % LIMIT);
  }

  private static MessageDigest md5() {
    try {
      return MessageDigest.getInstance("MD5");
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException("every JDK has MD5", impossible);
    }
  }
}
