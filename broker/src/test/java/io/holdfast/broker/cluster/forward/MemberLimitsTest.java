package io.holdfast.broker.cluster.forward;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.cluster.NodeStatus;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class MemberLimitsTest {
  private static final long LIMIT = 1600;

  private final Map<String, NodeStatus> statuses = new HashMap<>();
  private final MemberLimits limits = new MemberLimits(List.of("a", "b", "c"), statuses::get);

  private void says(String node, long freeBytes, long maxMsgSize, long maxBodySize) {
    says(node, freeBytes, LIMIT, maxMsgSize, maxBodySize);
  }

  private void says(
      String node, long freeBytes, long limitBytes, long maxMsgSize, long maxBodySize) {
    statuses.put(
        node,
        new NodeStatus("", "", "", freeBytes, limitBytes, maxMsgSize, maxBodySize, false, 0, null));
    limits.look();
  }

  private String refusal(int... sizes) {
    ByteBuffer section = ByteBuffer.allocate(20 << 20);
    for (int size : sizes) {
      section.putInt(size).position(section.position() + size);
    }
    return limits.refusal(section.flip(), sizes.length);
  }

  @Test
  void shouldTakeWhatTheSmallestNodeTakes() {
    assertNull(refusal(100));
    says("a", 5000, 1 << 20, 5 << 20);
    says("b", 5000, 1000, 1 << 20);
    assertNull(refusal(1000, 1000));
    assertEquals(
        "message too big 1001 > 1000, the smallest max_msg_size of the nodes", refusal(5, 1001));
    says("b", 5000, 1 << 20, 5 << 20);
    assertNull(refusal(1001));
    int[] many = new int[16];
    Arrays.fill(many, 1 << 20);
    assertNotNull(refusal(many));
  }

  @Test
  void shouldRefuseByTheSecondFullestDisk() {
    says("a", 100, 1000, 5000);
    assertNull(refusal(10));
    assertTrue(limits.isFull("a"), "others had better lead");
    assertFalse(limits.isFull("b"));
    says("b", LIMIT - 1, 1000, 5000);
    assertEquals(
        "disk is nearly full on a, b: 100, 1599 bytes free, disk_free_limit is 1600", refusal(10));
    // Not back and forth with each message.
    says("b", LIMIT + 1, 1000, 5000);
    assertNotNull(limits.diskRefusal());
    says("b", LIMIT + LIMIT / 16, 1000, 5000);
    assertNull(limits.diskRefusal());
    assertNull(refusal(10));
  }

  @Test
  void shouldGoByTheLimitOfEachDisk() {
    // A small disk has a smaller one, whoever asks.
    says("a", 200, 100, 1000, 5000);
    says("b", 200, 150, 1000, 5000);
    says("c", 5000, LIMIT, 1000, 5000);
    assertNull(refusal(10));
    says("b", 149, 150, 1000, 5000);
    assertNull(refusal(10));
    says("a", 99, 100, 1000, 5000);
    assertEquals(
        "disk is nearly full on a, b: 99, 149 bytes free, disk_free_limit is 100, 150",
        refusal(10));
  }
}
