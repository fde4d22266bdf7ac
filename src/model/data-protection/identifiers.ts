// The managed data identifiers that are offered, by AWS's names ("Amazon SNS sensitive data types"): how the text looks, which check
// digits it bears, and which keywords have to be near where AWS asks for some. Not offered, and refused by name: what AWS finds by
// learning (Name, Address), and what has no form to hold on to.
import { parseAddress } from '../address-range.ts'
import {
  hasDocumentCheckDigit,
  hasLuhn,
  isCnpj,
  isCodiceFiscale,
  isCpf,
  isDeaNumber,
  isFrenchTaxNumber,
  isGermanTaxId,
  isIban,
  isNationalProviderId,
  isNhsNumber,
  isNir,
  isSpanishPersonNumber,
  isSpanishSocialSecurityNumber,
  isVehicleNumber,
} from './check-digits.ts'

export interface ManagedIdentifier {
  /** Global, and linear in the text: every count is bounded, and what a match may begin with is told from what stands before it. */
  readonly pattern: RegExp
  /** Asked with the found text without separators, in upper case; `isVerbatim`: as it was found. */
  readonly isValid?: (text: string) => boolean
  readonly isVerbatim?: boolean
  /** Its lengths differ: digits behind a space or hyphen may belong to something else, and it is tried without them. */
  readonly hasLengths?: boolean
  /** One of them has to be near; a space in a keyword is also an underscore, a hyphen or nothing. */
  readonly keywords?: readonly string[]
  /** What needs no keyword after all. */
  readonly isPlain?: (text: string) => boolean
  /** The pattern finds the beginning; the finding reaches to the end of this. */
  readonly close?: RegExp
}

/** Letters of Latin scripts and digits: what may not stand right before or behind. Others need no space between words. */
const WORD = 'A-Za-z0-9_\\u00C0-\\u024F'
const alone = (source: string, flags = ''): RegExp => new RegExp(`(?<![${WORD}])(?:${source})(?![${WORD}])`, `g${flags}`)
const LICENCE = [
  'driver license',
  'drivers license',
  "driver's license",
  'driver licence',
  'drivers licence',
  "driver's licence",
  'dl',
  'dlno',
]
const PASSPORT = ['passport', 'passport number', 'passport no', 'passport#']
const PHONE = ['phone', 'phone number', 'tel', 'telephone', 'telephone number', 'mobile', 'cell', 'contact', 'fax', 'fax number']
const TAX = ['tax id', 'tax identification number', 'tax number', 'tin', 'taxpayer']
const MONTHS =
  '(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|' +
  'aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)'
const OCTET = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const SIGNS = '[ .\\-]?'

const CARD_PREFIXES: readonly (readonly [prefix: RegExp, lengths: readonly number[]])[] = [
  [/^4/, [13, 16, 19]],
  [/^(5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, [16]],
  [/^3[47]/, [15]],
  [/^(6011|64[4-9]|65)/, [16, 19]],
  [/^(30[0-5]|3095|36|38|39)/, [14, 16]],
  [/^35(2[89]|[3-8])/, [16]],
  [/^62/, [16, 17, 18, 19]],
  [/^5019/, [16]],
]

export const MANAGED_IDENTIFIERS: Readonly<Record<string, ManagedIdentifier>> = {
  AwsSecretKey: {
    pattern: /(?<![A-Za-z0-9/+=])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])/g,
    isValid: (text) => /[A-Z]/.test(text) && /[a-z]/.test(text) && /\d/.test(text),
    isVerbatim: true,
    keywords: ['aws secret access key', 'aws secret key', 'credentials', 'secret access key', 'secret key', 'set-awscredential', 'secret'],
  },
  'BankAccountNumber-DE': iban('DE', '\\d{18}'),
  'BankAccountNumber-ES': iban('ES', '\\d{20}'),
  'BankAccountNumber-FR': iban('FR', '\\d{10}[A-Z0-9]{11}\\d{2}'),
  'BankAccountNumber-GB': iban('GB', '[A-Z]{4}\\d{14}'),
  'BankAccountNumber-IT': iban('IT', '[A-Z]\\d{10}[A-Z0-9]{12}'),
  'CepCode-BR': {
    pattern: alone('\\d{2}\\.?\\d{3}-?\\d{3}'),
    keywords: ['cep', 'código de endereçamento postal', 'codigo de endereçamento postal'],
  },
  'Cnpj-BR': {
    pattern: alone('\\d{2}\\.?\\d{3}\\.?\\d{3}/?\\d{4}-?\\d{2}'),
    isValid: isCnpj,
    keywords: ['cadastro nacional da pessoa jurídica', 'cadastro nacional da pessoa juridica', 'cnpj'],
  },
  'CpfCode-BR': {
    pattern: alone('\\d{3}\\.?\\d{3}\\.?\\d{3}-?\\d{2}'),
    isValid: isCpf,
    keywords: [
      'cadastro de pessoas fisicas',
      'cadastro de pessoas físicas',
      'cadastro de pessoa física',
      'cadastro de pessoa fisica',
      'cpf',
    ],
  },
  CreditCardExpiration: {
    pattern: alone('(?:0?[1-9]|1[0-2])[/\\-](?:20)?\\d{2}'),
    keywords: ['exp', 'exp date', 'exp d', 'exp m', 'exp y', 'expiration', 'expiration date', 'expires', 'expiry'],
  },
  CreditCardNumber: {
    pattern: alone('\\d(?:[ \\-]?\\d){12,18}'),
    isValid: (digits) =>
      CARD_PREFIXES.some(([prefix, lengths]) => prefix.test(digits) && lengths.includes(digits.length)) && hasLuhn(digits),
    hasLengths: true,
  },
  CreditCardSecurityCode: {
    pattern: alone('\\d{3,4}'),
    keywords: ['card id', 'card identification code', 'card security code', 'cid', 'csc', 'cvc', 'cvc2', 'cvv', 'cvv2', 'security code'],
  },
  DateOfBirth: {
    pattern: alone(
      [
        '(?:19|20)\\d{2}([ /\\-])(?:0?[1-9]|1[0-2])\\1(?:0?[1-9]|[12]\\d|3[01])',
        '(?:0?[1-9]|[12]\\d|3[01])([ /.\\-])(?:0?[1-9]|1[0-2])\\2(?:(?:19|20)\\d{2}|\\d{2})',
        '(?:0?[1-9]|1[0-2])([ /\\-])(?:0?[1-9]|[12]\\d|3[01])\\3(?:(?:19|20)\\d{2}|\\d{2})',
        '(?:0?[1-9]|[12]\\d|3[01])[ /\\-]MONTH[ /\\-](?:19|20)\\d{2}',
        'MONTH[ /\\-](?:0?[1-9]|[12]\\d|3[01])(?:, ?|[ /\\-])(?:19|20)\\d{2}',
      ]
        .join('|')
        .replaceAll('MONTH', MONTHS),
      'i',
    ),
    keywords: ['dob', 'date of birth', 'birthdate', 'birth date', 'birthday', 'b-day', 'bday', 'born'],
  },
  'DriversLicense-DE': {
    pattern: alone('[A-Z]\\d{2}[A-Z0-9]{6}\\d[A-Z0-9]', 'i'),
    keywords: ['führerschein', 'fuhrerschein', 'fuehrerschein', 'führerscheinnummer', 'fuehrerscheinnummer', 'führerscheinnr'],
  },
  'DriversLicense-ES': {
    pattern: alone('\\d{8}-?[A-Z]', 'i'),
    isValid: isSpanishPersonNumber,
    keywords: [
      ...LICENCE,
      'carnet de conducir',
      'permiso de conducción',
      'permiso conducción',
      'permiso de conducir',
      'licencia de conducir',
    ],
  },
  'DriversLicense-FR': { pattern: alone('\\d{12}'), keywords: ['permis de conduire', 'numéro de permis', 'numero de permis'] },
  'DriversLicense-GB': {
    pattern: alone('[A-Z9]{5}\\d[0156]\\d[0-3]\\d{2}[A-Z9]{2}[A-Z0-9]{3}', 'i'),
    keywords: [...LICENCE, 'driving licence', 'driving license'],
  },
  'DriversLicense-IT': {
    pattern: alone('[A-Z]{2}\\d{7}[A-Z]|U1[A-Z0-9]{7}[A-Z]', 'i'),
    keywords: ['patente di guida', 'patente guida', 'patente', 'numero patente'],
  },
  'DriversLicense-NL': { pattern: alone('\\d{10}'), keywords: ['rijbewijs', 'rijbewijsnummer'] },
  'DriversLicense-PL': { pattern: alone('\\d{5}/\\d{2}/\\d{4}'), keywords: ['prawo jazdy', 'prawa jazdy'] },
  'DrugEnforcementAgencyNumber-US': {
    pattern: alone('[ABCDEFGHJKLMPRSTUX][A-Z9]\\d{7}', 'i'),
    isValid: isDeaNumber,
    keywords: ['dea number', 'dea registration', 'dea'],
  },
  EmailAddress: {
    pattern: new RegExp(
      '(?<![A-Za-z0-9_%+-])[A-Za-z0-9_%+-](?:[A-Za-z0-9._%+-]{0,62}[A-Za-z0-9_%+-])?@' +
        '(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9@-])',
      'g',
    ),
  },
  'HealthInsuranceNumber-FR': nir(["carte d'assuré social", 'carte vitale', 'insurance card']),
  'IndividualTaxIdentificationNumber-US': {
    pattern: alone(`9\\d{2}${SIGNS}(?:5\\d|6[0-5]|7\\d|8[0-8]|9[0-2]|9[4-9])${SIGNS}\\d{4}`),
    keywords: ['individual taxpayer identification number', 'itin', 'i.t.i.n.', ...TAX],
  },
  'InseeCode-FR': nir(['insee', 'numéro de sécurité sociale', 'numero de securite sociale', 'sécurité sociale', 'securite sociale', 'nir']),
  IpAddress: {
    pattern: new RegExp(
      `(?<![A-Za-z0-9.])(?:${OCTET}\\.){3}${OCTET}(?![A-Za-z0-9]|\\.\\d)|` +
        '(?<![0-9A-Za-z]|[0-9A-Fa-f]:|::)[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![A-Za-z0-9:])',
      'g',
    ),
    isValid: (text) => text !== '::' && parseAddress(text) !== undefined,
    isVerbatim: true,
  },
  LatLong: {
    pattern: /(?<![\d.])-?(?:90|[1-8]?\d)\.\d{3,10}[,; ]{1,2}-?(?:180|1[0-7]\d|[1-9]?\d)\.\d{3,10}(?![\d.])/g,
    keywords: ['coordinate', 'coordinates', 'lat long', 'latitude longitude', 'latlong', 'location', 'position'],
  },
  'MedicareBeneficiaryNumber-US': {
    pattern: alone('[1-9][AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9]\\d-?[AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9]\\d-?[AC-HJKMNP-RT-Y]{2}\\d{2}', 'i'),
    keywords: ['mbi', 'medicare beneficiary', 'medicare beneficiary number', 'medicare'],
  },
  'NationalIdentificationNumber-DE': {
    pattern: alone('[CFGHJKLMNPRTVWXYZ][CFGHJKLMNPRTVWXYZ0-9]{8}\\d', 'i'),
    isValid: hasDocumentCheckDigit,
    keywords: ['ausweis', 'ausweisnummer', 'personalausweis', 'personalausweisnummer', 'ausweis id', 'identity card', 'id number'],
  },
  'NationalIdentificationNumber-ES': {
    pattern: alone('\\d{8}-?[A-Z]', 'i'),
    isValid: isSpanishPersonNumber,
    keywords: ['dni', 'documento nacional de identidad', 'national id', 'national identification number', 'identidad'],
  },
  'NationalIdentificationNumber-IT': {
    pattern: alone('[A-Z]{6}\\d{2}[ABCDEHLMPRST]\\d{2}[A-Z]\\d{3}[A-Z]', 'i'),
    isValid: isCodiceFiscale,
    keywords: ['codice fiscale', 'codice fiscal', 'fiscal code', 'tax code', ...TAX],
  },
  'NationalInsuranceNumber-GB': {
    pattern: alone('(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\\d{2} ?\\d{2} ?\\d{2} ?[A-D]', 'i'),
    keywords: ['national insurance', 'national insurance number', 'ni number', 'nino', 'insurance no', 'insurance number'],
  },
  'NationalProviderId-US': {
    pattern: alone('[12]\\d{9}'),
    isValid: isNationalProviderId,
    keywords: ['hipaa', 'n.p.i.', 'national provider', 'npi', 'provider id'],
  },
  'NhsNumber-GB': {
    pattern: alone('\\d{3}[ \\-]?\\d{3}[ \\-]?\\d{4}'),
    isValid: isNhsNumber,
    keywords: ['national health service', 'nhs', 'nhs number', 'nhs no'],
  },
  'NieNumber-ES': {
    pattern: alone('[XYZ]-?\\d{7}-?[A-Z]', 'i'),
    isValid: isSpanishPersonNumber,
    keywords: ['nie', 'número de identidad de extranjero', 'extranjero'],
  },
  'NifNumber-ES': {
    pattern: alone('(?:\\d{8}|[XYZ]-?\\d{7})-?[A-Z]', 'i'),
    isValid: isSpanishPersonNumber,
    keywords: ['nif', 'número de identificación fiscal', 'numero de identificacion fiscal'],
  },
  OpenSshPrivateKey: pem('OPENSSH PRIVATE KEY'),
  'PassportNumber-CA': { pattern: alone('[A-Z]{2}\\d{6}|[A-Z]\\d{6}[A-Z]{2}', 'i'), keywords: [...PASSPORT, 'passeport', 'passeport#'] },
  'PassportNumber-DE': {
    pattern: alone('[CFGHJKLMNPRTVWXYZ][CFGHJKLMNPRTVWXYZ0-9]{7}[0-9CFGHJKLMNPRTVWXYZ]', 'i'),
    isValid: (text) => /\d/.test(text),
    keywords: [...PASSPORT, 'reisepass', 'reisepassnummer', 'ausstellungsdatum', 'reisepass-nr'],
  },
  'PassportNumber-ES': {
    pattern: alone('[A-Z]{3}\\d{6}', 'i'),
    keywords: [...PASSPORT, 'pasaporte', 'número de pasaporte', 'numero de pasaporte'],
  },
  'PassportNumber-FR': {
    pattern: alone('\\d{2}[A-Z]{2}\\d{5}', 'i'),
    keywords: [...PASSPORT, 'passeport', 'numéro de passeport', 'numero de passeport'],
  },
  'PassportNumber-GB': { pattern: alone('\\d{9}'), keywords: PASSPORT },
  'PassportNumber-IT': {
    pattern: alone('[A-Z]{2}\\d{7}', 'i'),
    keywords: [...PASSPORT, 'passaporto', 'numero passaporto', 'passaporto italiana'],
  },
  'PassportNumber-US': { pattern: alone('[A-Z]\\d{8}|\\d{9}', 'i'), keywords: [...PASSPORT, 'travel document'] },
  PgpPrivateKey: pem('PGP PRIVATE KEY BLOCK'),
  'PhoneNumber-BR': phone('55', '\\(?\\d{2}\\)?[ \\-]?9?\\d{4}[ \\-]?\\d{4}', '\\(?\\d{2}\\)?[ \\-]?9?\\d{4}[ \\-]?\\d{4}', [
    'celular',
    'telefone',
    'fone',
    'contato',
  ]),
  'PhoneNumber-DE': phone('49', '[1-9]\\d{1,4}[ /\\-]?\\d{3,4}[ \\-]?\\d{2,6}', '0[1-9]\\d{1,4}[ /\\-]?\\d{3,4}[ \\-]?\\d{2,6}', [
    'telefon',
    'handy',
    'mobil',
    'rufnummer',
  ]),
  'PhoneNumber-ES': phone('34', '[6-9]\\d{2}(?:[ \\-]?\\d{2,3}){2,3}', '[6-9]\\d{2}[ \\-]?\\d{3}[ \\-]?\\d{3}', [
    'teléfono',
    'telefono',
    'móvil',
    'movil',
  ]),
  'PhoneNumber-FR': phone('33', '[1-9](?:[ .\\-]?\\d{2}){4}', '0[1-9](?:[ .\\-]?\\d{2}){4}', ['téléphone', 'portable', 'numéro']),
  'PhoneNumber-GB': phone('44', '[1-9]\\d{1,4}[ \\-]?\\d{3,4}[ \\-]?\\d{3,4}', '0[1-9]\\d{1,4}[ \\-]?\\d{3,4}[ \\-]?\\d{3,4}', []),
  'PhoneNumber-IT': phone('39', '[03]\\d{1,3}[ \\-]?\\d{3,4}[ \\-]?\\d{3,5}', '[03]\\d{1,3}[ \\-]?\\d{3,4}[ \\-]?\\d{3,5}', [
    'telefono',
    'cellulare',
    'numero di telefono',
  ]),
  'PhoneNumber-US': phone(
    '1',
    '\\(?[2-9]\\d{2}\\)?[ .\\-]?[2-9]\\d{2}[ .\\-]?\\d{4}',
    '\\(?[2-9]\\d{2}\\)?[ .\\-]?[2-9]\\d{2}[ .\\-]?\\d{4}',
    [],
  ),
  PkcsPrivateKey: pem('(?:RSA |EC |DSA |ENCRYPTED )?PRIVATE KEY'),
  'PostalCode-CA': {
    pattern: alone('[ABCEGHJ-NPRSTVXY]\\d[A-Z] ?\\d[A-Z]\\d', 'i'),
    keywords: ['postal code', 'code postal', 'zip', 'postcode', 'address'],
  },
  PuttyPrivateKey: { pattern: /PuTTY-User-Key-File-[23]: /g, close: /Private-MAC: [0-9a-fA-F]{40,64}/ },
  'SocialInsuranceNumber-CA': {
    pattern: alone('[1-9]\\d{2}[ \\-]?\\d{3}[ \\-]?\\d{3}'),
    isValid: hasLuhn,
    keywords: ['canadian id', "numéro d'assurance sociale", 'sin', 'social insurance number', 'social insurance', 'nas'],
  },
  'Ssn-ES': {
    pattern: alone('\\d{2}[ /\\-]?\\d{8}[ /\\-]?\\d{2}'),
    isValid: isSpanishSocialSecurityNumber,
    keywords: [
      'número de la seguridad social',
      'numero de la seguridad social',
      'seguridad social',
      'nuss',
      'ssn',
      'social security number',
    ],
  },
  'Ssn-US': {
    pattern: alone(`(?!000|666)[0-8]\\d{2}([ \\-]?)(?!00)\\d{2}\\1(?!0000)\\d{4}`),
    keywords: ['social security', 'social security number', 'ss#', 'ssn', 'ssn#'],
  },
  'TaxId-DE': {
    pattern: alone('[1-9]\\d ?\\d{3} ?\\d{3} ?\\d{3}'),
    isValid: isGermanTaxId,
    keywords: ['steuer id', 'steueridentifikationsnummer', 'steuernummer', 'identifikationsnummer', 'idnr', ...TAX],
  },
  'TaxId-ES': {
    pattern: alone('(?:\\d{8}|[XYZ]-?\\d{7})-?[A-Z]', 'i'),
    isValid: isSpanishPersonNumber,
    keywords: ['nif', 'número de contribuyente', 'identificación fiscal', 'impuesto', ...TAX],
  },
  'TaxId-FR': {
    pattern: alone('[0-3]\\d ?\\d{2} ?\\d{3} ?\\d{3} ?\\d{3}'),
    isValid: isFrenchTaxNumber,
    keywords: ['numéro fiscal', 'numero fiscal', "numéro d'identification fiscale", 'spi', ...TAX],
  },
  'TaxId-GB': { pattern: alone('\\d{5} ?\\d{5}'), keywords: ['utr', 'unique taxpayer reference', 'paye', ...TAX] },
  VehicleIdentificationNumber: {
    pattern: alone('[A-HJ-NPR-Z0-9]{17}', 'i'),
    isValid: isVehicleNumber,
    keywords: ['vin', 'vehicle identification number', 'vehicle identification', 'fahrgestellnummer', 'niv', 'vin number', 'serial number'],
  },
  'ZipCode-US': { pattern: alone('\\d{5}(?:-\\d{4})?'), keywords: ['zip code', 'zip', 'zip+4', 'postal code'] },
}

function iban(country: string, account: string): ManagedIdentifier {
  const compact = new RegExp(`^${country}\\d{2}${account}$`)
  const length = { DE: 22, ES: 24, FR: 27, GB: 22, IT: 27 }[country] ?? 34
  return {
    pattern: alone(`${country}\\d{2}(?:[ \\-]?[A-Z0-9]){${length - 4}}`, 'i'),
    isValid: (text) => compact.test(text) && isIban(text),
  }
}

/** Fifteen characters: sex, year, month, place of birth, order, key. */
function nir(keywords: readonly string[]): ManagedIdentifier {
  return {
    pattern: alone('[1-478] ?\\d{2} ?\\d{2} ?(?:\\d{2}|2[AB]) ?\\d{3} ?\\d{3} ?\\d{2}', 'i'),
    isValid: isNir,
    keywords,
  }
}

/** With the country's code by itself, without it near a keyword. */
function phone(country: string, international: string, national: string, keywords: readonly string[]): ManagedIdentifier {
  return {
    pattern: new RegExp(
      `(?<![${WORD}+]|\\d[.\\-])(?:(?:\\+|00)${country}[ .\\-]?(?:\\(0\\) ?)?${international}|${national})(?![${WORD}]|[.\\-]\\d)`,
      'g',
    ),
    isPlain: (text) => /^(\+|00)/.test(text),
    keywords: [...PHONE, ...keywords],
  }
}

function pem(label: string): ManagedIdentifier {
  return { pattern: new RegExp(`-----BEGIN ${label}-----`, 'g'), close: new RegExp(`-----END ${label}-----`) }
}
