"""ML-KEM-768 (FIPS 203) as the client's side of a handshake needs it: key generation and decapsulation.

For tests only: it does not run in constant time. The algorithm numbers are those of FIPS 203.
"""

import hashlib

Q, N, K = 3329, 256, 3
ETA, DU, DV = 2, 10, 4

ZETAS = [pow(17, int(f"{i:07b}"[::-1], 2), Q) for i in range(128)]
GAMMAS = [pow(17, 2 * int(f"{i:07b}"[::-1], 2) + 1, Q) for i in range(128)]


def _g(data):
    digest = hashlib.sha3_512(data).digest()
    return digest[:32], digest[32:]


def _h(data):
    return hashlib.sha3_256(data).digest()


def _j(data):
    return hashlib.shake_256(data).digest(32)


def _encode(values, d):
    """Algorithm 5, ByteEncode."""
    bits = sum(value << (d * i) for i, value in enumerate(values))
    return bits.to_bytes(32 * d, "little")


def _decode(data, d):
    """Algorithm 6, ByteDecode."""
    bits, mask = int.from_bytes(data, "little"), (1 << d) - 1
    return [(bits >> (d * i)) & mask for i in range(N)]


def _compress(values, d):
    return [((value << d) + Q // 2) // Q % (1 << d) for value in values]


def _decompress(values, d):
    return [(value * Q + (1 << (d - 1))) >> d for value in values]


def _sample_ntt(seed):
    """Algorithm 7, SampleNTT."""
    # 840 bytes are 560 candidates: that fewer than 256 of them are below Q has a chance far below 2^-100.
    stream = hashlib.shake_128(seed).digest(840)
    values = []
    for a, b, c in zip(stream[::3], stream[1::3], stream[2::3]):
        for value in (a + 256 * (b % 16), b // 16 + 16 * c):
            if value < Q and len(values) < N:
                values.append(value)
    return values


def _sample_cbd(seed, nonce):
    """Algorithm 8, SamplePolyCBD, of PRF(seed, nonce)."""
    data = hashlib.shake_256(seed + bytes([nonce])).digest(64 * ETA)
    bits = int.from_bytes(data, "little")
    count = lambda at: bin((bits >> at) & 3).count("1")
    return [(count(4 * i) - count(4 * i + 2)) % Q for i in range(N)]


def _ntt(f):
    """Algorithm 9."""
    f, i, length = list(f), 1, 128
    while length >= 2:
        for start in range(0, N, 2 * length):
            zeta, i = ZETAS[i], i + 1
            for j in range(start, start + length):
                t = zeta * f[j + length] % Q
                f[j + length], f[j] = (f[j] - t) % Q, (f[j] + t) % Q
        length //= 2
    return f


def _inverse_ntt(f):
    """Algorithm 10."""
    f, i, length = list(f), 127, 2
    while length <= 128:
        for start in range(0, N, 2 * length):
            zeta, i = ZETAS[i], i - 1
            for j in range(start, start + length):
                t = f[j]
                f[j] = (t + f[j + length]) % Q
                f[j + length] = zeta * (f[j + length] - t) % Q
        length *= 2
    return [value * 3303 % Q for value in f]


def _multiply(f, g):
    """Algorithms 11 and 12, MultiplyNTTs."""
    h = []
    for i, gamma in enumerate(GAMMAS):
        a0, a1, b0, b1 = f[2 * i], f[2 * i + 1], g[2 * i], g[2 * i + 1]
        h += [(a0 * b0 + a1 * b1 * gamma) % Q, (a0 * b1 + a1 * b0) % Q]
    return h


def _add(*polynomials):
    return [sum(values) % Q for values in zip(*polynomials)]


def _dot(fs, gs):
    return _add(*(_multiply(f, g) for f, g in zip(fs, gs)))


def _matrix(rho):
    return [[_sample_ntt(rho + bytes([j, i])) for j in range(K)] for i in range(K)]


def key_pair(seed):
    """Algorithm 16, KeyGen_internal, of d || z: the encapsulation key (1,184 bytes) and the decapsulation key."""
    d, z = seed[:32], seed[32:]
    rho, sigma = _g(d + bytes([K]))
    s = [_ntt(_sample_cbd(sigma, i)) for i in range(K)]
    e = [_ntt(_sample_cbd(sigma, K + i)) for i in range(K)]
    t = [_add(_dot(row, s), e[i]) for i, row in enumerate(_matrix(rho))]
    ek = b"".join(_encode(f, 12) for f in t) + rho
    return ek, b"".join(_encode(f, 12) for f in s) + ek + _h(ek) + z


def _encrypt(ek, message, randomness):
    """Algorithm 14, K-PKE.Encrypt."""
    t = [_decode(ek[384 * i:384 * (i + 1)], 12) for i in range(K)]
    a = _matrix(ek[384 * K:])
    y = [_ntt(_sample_cbd(randomness, i)) for i in range(K)]
    e1 = [_sample_cbd(randomness, K + i) for i in range(K)]
    e2 = _sample_cbd(randomness, 2 * K)
    u = [_add(_inverse_ntt(_dot([row[i] for row in a], y)), e1[i]) for i in range(K)]
    v = _add(_inverse_ntt(_dot(t, y)), e2, _decompress(_decode(message, 1), 1))
    return b"".join(_encode(_compress(f, DU), DU) for f in u) + _encode(_compress(v, DV), DV)


def _decrypt(s_bytes, ciphertext):
    """Algorithm 15, K-PKE.Decrypt."""
    size = 32 * DU
    u = [_decompress(_decode(ciphertext[size * i:size * (i + 1)], DU), DU) for i in range(K)]
    v = _decompress(_decode(ciphertext[size * K:], DV), DV)
    s = [_decode(s_bytes[384 * i:384 * (i + 1)], 12) for i in range(K)]
    product = _inverse_ntt(_dot(s, [_ntt(f) for f in u]))
    return _encode(_compress([(a - b) % Q for a, b in zip(v, product)], 1), 1)


def decapsulate(dk, ciphertext):
    """Algorithm 18, Decaps_internal: the 32 bytes of the shared secret; other ones for a ciphertext of another key."""
    s, ek = dk[:384 * K], dk[384 * K:768 * K + 32]
    digest, z = dk[768 * K + 32:768 * K + 64], dk[768 * K + 64:]
    message = _decrypt(s, ciphertext)
    secret, randomness = _g(message + digest)
    return secret if _encrypt(ek, message, randomness) == ciphertext else _j(z + ciphertext)
