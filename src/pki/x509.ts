// The one door to @peculiar/x509, for what is not hot. Its parts are put together by decorators, whose metadata must be loaded first.
import 'reflect-metadata';

export {
  BasicConstraintsExtension,
  Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  Pkcs10CertificateRequest,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
