package io.holdfast.broker.cluster.engine;

import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.AppendEntriesResponse;
import com.alipay.sofa.jraft.rpc.RpcRequests.ErrorResponse;
import com.alipay.sofa.jraft.rpc.RpcRequests.GetFileRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.GetFileResponse;
import com.alipay.sofa.jraft.rpc.RpcRequests.InstallSnapshotRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.InstallSnapshotResponse;
import com.alipay.sofa.jraft.rpc.RpcRequests.RequestVoteRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.RequestVoteResponse;
import com.alipay.sofa.jraft.rpc.RpcRequests.TimeoutNowRequest;
import com.alipay.sofa.jraft.rpc.RpcRequests.TimeoutNowResponse;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.Message;
import com.google.protobuf.UnsafeByteOperations;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.io.IOException;
import java.util.List;

/**
 * The messages of JRaft that nodes of a cluster send each other, as bytes: {@code u8 kind, u16
 * group, protobuf}. There are no others: whatever administers a group is not for the network.
 * Stateless.
 */
final class JraftMessages {
  static final int HEAD_BYTES = 3;

  /** A kind is the place in here: only add at the end. */
  private static final List<Message> KINDS =
      List.of(
          ErrorResponse.getDefaultInstance(),
          AppendEntriesRequest.getDefaultInstance(),
          AppendEntriesResponse.getDefaultInstance(),
          RequestVoteRequest.getDefaultInstance(),
          RequestVoteResponse.getDefaultInstance(),
          InstallSnapshotRequest.getDefaultInstance(),
          InstallSnapshotResponse.getDefaultInstance(),
          GetFileRequest.getDefaultInstance(),
          GetFileResponse.getDefaultInstance(),
          TimeoutNowRequest.getDefaultInstance(),
          TimeoutNowResponse.getDefaultInstance());

  private JraftMessages() {}

  /**
   * A message as bytes.
   *
   * @throws IllegalArgumentException when it is not for the network
   */
  static ByteBuf encode(int group, Message message) {
    int bytes = message.getSerializedSize();
    ByteBuf encoded = ByteBufAllocator.DEFAULT.buffer(HEAD_BYTES + bytes);
    boolean done = false;
    try {
      encoded.writeByte(kindOf(message)).writeShort(group);
      CodedOutputStream out = CodedOutputStream.newInstance(encoded.nioBuffer(HEAD_BYTES, bytes));
      message.writeTo(out);
      out.flush();
      encoded.writerIndex(HEAD_BYTES + bytes);
      done = true;
      return encoded;
    } catch (IOException e) {
      throw new IllegalStateException("its size is another one than it said", e);
    } finally {
      if (!done) {
        encoded.release();
      }
    }
  }

  private static int kindOf(Message message) {
    for (int kind = 0; kind < KINDS.size(); kind++) {
      if (KINDS.get(kind).getClass() == message.getClass()) {
        return kind;
      }
    }
    throw new IllegalArgumentException("not for the network: " + message.getClass().getName());
  }

  /** Which group a message is for; negative when it is none of ours. */
  static int groupOf(ByteBuf encoded) {
    return encoded.readableBytes() < HEAD_BYTES
        ? -1
        : encoded.getUnsignedShort(encoded.readerIndex() + 1);
  }

  /**
   * Reads a message; the bytes are copied.
   *
   * @throws IOException when it is none of ours
   */
  static Message decode(ByteBuf encoded) throws IOException {
    if (encoded.readableBytes() < HEAD_BYTES) {
      throw new IOException("a message of " + encoded.readableBytes() + " bytes");
    }
    int kind = encoded.getUnsignedByte(encoded.readerIndex());
    if (kind >= KINDS.size()) {
      throw new IOException("a message of kind " + kind);
    }
    byte[] bytes = new byte[encoded.readableBytes() - HEAD_BYTES];
    encoded.getBytes(encoded.readerIndex() + HEAD_BYTES, bytes);
    // The entries in it are not copied again.
    CodedInputStream in = UnsafeByteOperations.unsafeWrap(bytes).newCodedInput();
    in.enableAliasing(true);
    return KINDS.get(kind).getParserForType().parseFrom(in);
  }
}
