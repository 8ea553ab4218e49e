/**
 * A certificate for 127.0.0.1 that only itself vouches for, valid for a hundred years. Made for these
 * tests and used by nothing else; its key is public with them.
 */
export const testKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgzoaTWuQuBwqZumxq
9gPo5jKEFBy4CxzbEwF9hIO1hFKhRANCAATKg/xbBTCLp8EbGR/AE3NvG1Ze+sO/
kcKgw93h1c30mDvGxnrhabuZovNaLCek+4NxHalhfAkksqL1cZRr2048
-----END PRIVATE KEY-----
`;

export const testCertificate = `-----BEGIN CERTIFICATE-----
MIIBtDCCAVmgAwIBAgIUNEe+ByL6cxCxX6GwKt//Zgqc9pIwCgYIKoZIzj0EAwIw
IDEeMBwGA1UEAwwVQ3VyZmV3IHRlc3QgYXV0aG9yaXR5MCAXDTI2MTEyNTAyNDQx
M1oYDzIxMjYxMTAxMDI0NDEzWjAgMR4wHAYDVQQDDBVDdXJmZXcgdGVzdCBhdXRo
b3JpdHkwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATKg/xbBTCLp8EbGR/AE3Nv
G1Ze+sO/kcKgw93h1c30mDvGxnrhabuZovNaLCek+4NxHalhfAkksqL1cZRr2048
o28wbTAdBgNVHQ4EFgQUHyCAKS0ibtNdmh9P6alLqLE/1t0wHwYDVR0jBBgwFoAU
HyCAKS0ibtNdmh9P6alLqLE/1t0wDwYDVR0TAQH/BAUwAwEB/zAaBgNVHREEEzAR
hwR/AAABgglsb2NhbGhvc3QwCgYIKoZIzj0EAwIDSQAwRgIhAI0XyKuX80et+Czq
O8vkdfOr9Q920PsoFEFYNjtoP1rBAiEAg04G8QtZtdvxckFhbxpsfkazVlCYqiKw
K8J+Nh7GjAs=
-----END CERTIFICATE-----
`;
