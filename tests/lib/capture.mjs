// SPDX-License-Identifier: Apache-2.0
// Packets and captures made up for tests: VXLAN over IPv4, UDP inside.

const address = (text) => text.split(".").map(Number);

function ipv4(src, dst, protocol, payload) {
  const header = Buffer.alloc(20);
  header[0] = 0x45;
  header.writeUInt16BE(20 + payload.length, 2);
  header[8] = 64;
  header[9] = protocol;
  Buffer.from([...address(src), ...address(dst)]).copy(header, 12);
  return Buffer.concat([header, payload]);
}

function udp(from, to, payload) {
  const header = Buffer.alloc(8);
  header.writeUInt16BE(from, 0);
  header.writeUInt16BE(to, 2);
  header.writeUInt16BE(8 + payload.length, 4);
  return Buffer.concat([header, payload]);
}

const ethernet = (payload) => Buffer.concat([Buffer.from([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0]), payload]);

// What a VXLAN device puts into a UDP datagram: RFC 7348 section 5.
export function vxlan({ vni = 100, innerSrc = "192.168.0.1", innerDst = "192.168.0.2", size = 64 }) {
  const header = Buffer.from([8, 0, 0, 0, vni >> 16, vni >> 8, vni, 0]);
  return Buffer.concat([header, ethernet(ipv4(innerSrc, innerDst, 17, udp(1, 2, Buffer.alloc(size))))]);
}

export const vxlanFrame = ({ src = "10.0.0.1", dst = "10.0.0.2", port = 4789, ...inside }) =>
  ethernet(ipv4(src, dst, 17, udp(50000, port, vxlan(inside))));

// A pcap file of [[seconds, frame]…]; times count from `start`.
export function pcap(packets, start = 1700000000) {
  const head = Buffer.alloc(24);
  head.writeUInt32LE(0xa1b2c3d4, 0);
  head.writeUInt16LE(2, 4);
  head.writeUInt16LE(4, 6);
  head.writeUInt32LE(65535, 16);
  head.writeUInt32LE(1, 20);
  return Buffer.concat([head, ...packets.flatMap(([at, frame]) => {
    const record = Buffer.alloc(16);
    record.writeUInt32LE(start + Math.floor(at), 0);
    record.writeUInt32LE(Math.round((at % 1) * 1e6), 4);
    record.writeUInt32LE(frame.length, 8);
    record.writeUInt32LE(frame.length, 12);
    return [record, frame];
  })]);
}
